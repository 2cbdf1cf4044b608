"""Tags: which words they may be, and those that are offered.

Takes what a person typed, gives the tag as it is kept. It stores nothing.
"""

import unicodedata

from ftkit.errors import BadInput

# Offered before anybody has tagged; they are translated where they are shown.
SUGGESTED = ("wrong label", "bad reference", "unclear prompt", "hallucination", "format")
LONGEST = 40  # characters
MOST_OF_A_ROW = 20


def checked(tag: str) -> str:
    """A tag as it is kept: Unicode NFC, one space between words.

    Raises:
        BadInput: there is nothing in it, it is too long, or holds signs that nobody sees.
    """
    kept = " ".join(unicodedata.normalize("NFC", tag).split())
    if not kept:
        raise BadInput("errors.empty_tag", "A tag needs at least one letter. Type one.")
    if len(kept) > LONGEST:
        raise BadInput(
            "errors.long_tag",
            "The tag has {length} characters, at most {limit} can be kept. Shorten it.",
            length=len(kept),
            limit=LONGEST,
        )
    if not kept.isprintable():
        raise BadInput("errors.unseen_tag", "The tag has signs in it that nobody sees. Type it without them.")
    return kept
