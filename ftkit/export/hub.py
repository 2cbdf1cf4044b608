"""Whether something can be pushed to the Hugging Face Hub from here, said before anything is built.

Takes two facts, raises a sentence. It asks nobody and reads no token.
"""

from ftkit.errors import Refused


def check_hub(*, offline: bool, token: bool) -> None:
    """See that a push can work.

    Args:
        offline: the Hub must not be asked.
        token: whether there is one.

    Raises:
        Refused: it cannot.
    """
    if offline:
        raise Refused(
            "export.hub_offline",
            "HF_HUB_OFFLINE forbids to ask the Hub, so that nothing can be pushed. Unset it and start ftkit again.",
        )
    if not token:
        raise Refused(
            "export.hub_unset",
            "There is no token for the Hub, so that nothing can be pushed. Set HF_TOKEN to a token that may write and start ftkit "
            "again, or export merged weights and upload them yourself.",
        )
