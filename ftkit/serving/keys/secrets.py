"""The secret of a key of the gateway: how it looks.

Takes and gives text. It knows no key.
"""

from ftkit.network.tokens import new_token

PREFIX = "ftk_"
_HINT = 8


def new_secret() -> str:
    """A token with a beginning by which scanners of leaked secrets know it."""
    return f"{PREFIX}{new_token()}"


def hint_of(secret: str) -> str:
    """Its beginning, by which a person knows it again."""
    return f"{secret[:_HINT]}…"
