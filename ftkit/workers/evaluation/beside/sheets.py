"""What base and tuned model are asked beside the rows of the part: the general questions, and prompts under other names.

Takes rows and a tokenizer, gives sheets of prompts; takes what was said, gives parts of ``report.json``. It asks no model.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ftkit.evaluation.bias import names
from ftkit.evaluation.bias.summary import summarise as summarise_names
from ftkit.evaluation.general import questions
from ftkit.evaluation.general.summary import summarise as summarise_general
from ftkit.evaluation.measuring.scores import json_fields
from ftkit.workers.evaluation.beside.general import MOST_TOKENS, Said, general_results, general_rows
from ftkit.workers.evaluation.beside.names import signed_answers, signed_rows
from ftkit.workers.evaluation.prepared import Prepared
from ftkit.workers.training.rows import FastTokenizer

Summary = Callable[[Mapping[str, Said]], Any]


class Sheet(NamedTuple):
    """Prompts of one kind.

    ``name`` is their place in the report and the phase of their progress; ``depends_on`` is what their answers depend on beside the
    models; ``summarise`` takes what each side said of a row.
    """

    name: str
    rows: list[Prepared]
    limit: int
    depends_on: dict[str, Any]
    summarise: Summary


def general_sheet(mapping: Mapping[str, str], encode: FastTokenizer) -> Sheet:
    """The forgetting check."""
    rows = general_rows(mapping, encode)
    return Sheet(
        name="general",
        rows=rows,
        limit=MOST_TOKENS,
        # The same of any part: what matters of the mapping is in the questions' tokens.
        depends_on={
            "questions": questions.fingerprint(),
            "asked": [row.asked for row in rows if row.asked],
            "rows_hash": None,
            "mapping": None,
        },
        summarise=lambda said: summarise_general(general_results(said["base"], said["tuned"])),
    )


def names_sheet(
    values: Sequence[Mapping[str, Any]],
    mapping: Mapping[str, str],
    encode: FastTokenizer,
    limit: int,
    seed: int,
) -> Sheet:
    """The bias probe."""
    rows = signed_rows(values, mapping, encode)
    fields = json_fields([row.reference for row in rows])

    def summary(said: Mapping[str, Said]) -> dict[str, Any] | None:
        if not rows:
            return None
        return {
            side: summarise_names(signed_answers(rows, said[side], fields), seed)
            for side in ("base", "tuned")
        }

    return Sheet("bias", rows, limit, {"names": names.NAMES}, summary)
