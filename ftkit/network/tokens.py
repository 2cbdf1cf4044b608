"""A token that lets its bearer in, an invitation or an API key: made here, told once, kept as its hash only.

Takes and gives text. It knows nobody.
"""

import secrets
from hashlib import sha256

_BYTES = 24


def new_token() -> str:
    """192 bits that nobody can guess, fit for an address."""
    return secrets.token_urlsafe(_BYTES)


def hash_token(token: str) -> str:
    """What is kept of a token. It needs no salt and no slow hash: there is nothing to try out in 192 bits."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
