"""Whether a result can be uploaded to the Hugging Face Hub: what can be known before a run starts.

Takes a spec and the environment of workers, gives refusals. It asks nobody and reads no token.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ftkit.errors import FtkitError, Refused
from ftkit.training.spec import RunSpec

_YES = {"1", "ON", "YES", "TRUE"}


def hub_refusals(spec: RunSpec, environment: Mapping[str, str]) -> Iterator[FtkitError]:
    """Why the result could not be uploaded."""
    if not spec.push_to_hub:
        return
    if environment.get("HF_HUB_OFFLINE", "").upper() in _YES:
        yield Refused(
            "training.hub_offline",
            "HF_HUB_OFFLINE forbids to ask the Hub, so that nothing can be uploaded. Unset it, or turn push_to_hub off.",
        )
    elif not has_token(environment):
        yield Refused(
            "training.hub_no_token",
            "There is no token for the Hub, so that nothing can be uploaded. Set HF_TOKEN to a token that may write and start "
            "ftkit again, or turn push_to_hub off.",
        )


def has_token(environment: Mapping[str, str]) -> bool:
    """Whether huggingface_hub will find a token: in a variable, or in the file of ``hf auth login``."""
    if any(environment.get(name, "").strip() for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")):
        return True
    cache = environment.get("XDG_CACHE_HOME") or f"{environment.get('HOME') or Path.home()}/.cache"
    home = environment.get("HF_HOME") or f"{cache}/huggingface"
    file = Path(environment.get("HF_TOKEN_PATH") or f"{home}/token").expanduser()
    return file.is_file() and file.stat().st_size > 0
