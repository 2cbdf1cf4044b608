"""Where the result of a run goes besides this machine."""

from ftkit.training.option import Options, option


class PublishOptions(Options):
    """Where the result of a run goes besides this machine."""

    push_to_hub: bool = option(
        False,
        "Upload to the Hub",
        "After a finished run, upload its adapter or model with a model card to the Hugging Face Hub. The token is the one "
        "in HF_TOKEN; rows of the data are never uploaded.",
        "publish",
    )
    hub_model_id: str = option(
        "",
        "Repository",
        "Name of the repository, e.g. my-model or my-organisation/my-model. It is made where there is none.",
        "publish",
        needs=("push_to_hub", (True,)),
        max_length=150,
    )
    hub_private_repo: bool = option(
        True,
        "Private",
        "Only you and your organisation see it. A repository that is public already is then not uploaded to.",
        "publish",
        needs=("push_to_hub", (True,)),
    )
