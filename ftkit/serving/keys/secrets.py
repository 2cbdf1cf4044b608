"""The secret of a key of the gateway: made here, told once, kept as its hash only.

Takes and gives text. It knows no key.
"""

import secrets
from hashlib import sha256

PREFIX = "ftk_"
_BYTES = 24
_HINT = 8


def new_secret() -> str:
    """192 bits that nobody can guess, with a beginning by which scanners of leaked secrets know it."""
    return f"{PREFIX}{secrets.token_urlsafe(_BYTES)}"


def hash_secret(secret: str) -> str:
    """What is kept of a secret. It needs no salt and no slow hash: there is nothing to try out in 192 bits."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()


def hint_of(secret: str) -> str:
    """Its beginning, by which a person knows it again."""
    return f"{secret[:_HINT]}…"
