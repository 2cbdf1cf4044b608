"""Two texts as one, with what differs marked word by word, by sign and colour.

Takes plain texts, gives escaped ``Markup``. What the marks mean is said by whoever shows them.
"""

from markupsafe import Markup

from ftkit.evaluation.errors.difference import Piece, likeness, word_difference
from ftkit.ui import html

_UNLIKE = 0.3  # below this likeness a difference word by word only confuses


def marked(text: str, other: str) -> Markup | None:
    """Words that only ``text`` has as deleted, those that only ``other`` has as inserted; None where they are too unlike."""
    pieces = word_difference(text, other)
    if not text.strip() or likeness(pieces) < _UNLIKE:
        return None
    return Markup('<div class="ft-answer ft-diff">{}</div>').format(html.join(map(_piece, pieces)))


def _piece(piece: Piece) -> Markup:
    if piece.kind == "same":
        return Markup("{}").format(piece.text)
    if piece.kind == "extra":
        return Markup("<del>{}</del>").format(piece.text)
    # A word and the one in whose place it stands are two words, also for the eye.
    gap = "" if piece.text[0].isspace() else " "
    return Markup("{}<ins>{}</ins>").format(gap, piece.text)
