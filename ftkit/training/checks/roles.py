"""Whether a split has the columns that a method of training learns from.

Takes a spec and the split's roles; raises where some are missing. It reads no row.
"""

from collections.abc import Mapping

from ftkit.errors import Refused
from ftkit.training.spec import RunSpec


def check_roles(spec: RunSpec, mapping: Mapping[str, str]) -> None:
    """The method needs columns that plain fine-tuning does not.

    Raises:
        Refused: they are missing.
    """
    pairs = {"chosen", "rejected"} <= mapping.keys()
    if spec.method == "dpo" and not pairs:
        raise Refused(
            "training.no_pairs",
            "dpo learns from pairs, and this split has none: choose columns for the better and the worse answer (chosen, "
            "rejected) on the Data page, or use another method.",
        )
    if spec.method == "kto" and not (pairs or "label" in mapping):
        raise Refused(
            "training.no_marks",
            "kto learns from marked answers, and this split has none: choose a column that marks answers as good or bad "
            "(label) on the Data page, or use another method.",
        )
