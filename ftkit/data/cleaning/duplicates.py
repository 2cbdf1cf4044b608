"""Steps against rows that stand more than once: exact copies, and rows that are nearly the same.

The first of them stays. What is nearly the same is decided by ``ftkit.data.health.duplicates``, as in the health report.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Literal

from ftkit.data.cleaning import texts
from ftkit.data.cleaning.steps import KEEP, Context, Drop, Judge, Row, Step, Verdict, WholeStep, option
from ftkit.data.phrases import phrase


class DropExactDuplicates(Step):
    """Rows with the same text as an earlier row."""

    title = "Remove exact copies"
    help = "Of rows with the same text, the first one stays."

    step: Literal["drop_exact_duplicates"] = "drop_exact_duplicates"
    ignore_case: bool = option(
        True, "Ignore case and spaces", "Capital letters and spaces make no difference."
    )

    def judge(self, context: Context) -> Judge:
        """Remember a hash of every row seen."""
        columns, seen = self.of(context), dict[bytes, int]()

        def decide(number: int, row: Row) -> Verdict:
            first = seen.setdefault(self._key(row, columns), number)
            return KEEP if first == number else Drop(phrase("clean_copy"), first)

        return decide

    def _key(self, row: Row, columns: tuple[str, ...]) -> bytes:
        if self.ignore_case:
            found = [
                (place, " ".join(text.casefold().split()))
                for place, text in texts.leaves(row, columns)
                if text.strip()
            ]
            content = json.dumps([found, *_untold(row, columns)])
        else:
            content = json.dumps([row.get(name) for name in columns], sort_keys=True)
        return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class DropNearDuplicates(WholeStep):
    """Rows whose words are mostly those of an earlier row."""

    title = "Remove near copies"
    help = "Of rows that say nearly the same in the same words, the first one stays."

    step: Literal["drop_near_duplicates"] = "drop_near_duplicates"
    threshold: float = option(
        0.7,
        "Likeness",
        "Share of phrases that two rows must have in common. 1 means the same words throughout.",
        ge=0.4,
        le=1,
    )

    def scan(self, context: Context, rows: Iterable[Row]) -> dict[int, tuple[int, str]]:
        """Find clusters among all rows."""
        from ftkit.data.health import duplicates  # noqa: PLC0415  brings MinHash, which only this step needs

        columns = self.of(context)
        told = ["\n".join(text for _, text in texts.leaves(row, columns)) for row in rows]
        clusters = duplicates.near(told, threshold=self.threshold, seed=context.seed)
        why = phrase("clean_near_copy")
        return {place: (cluster[0], why) for cluster in clusters for place in cluster[1:]}


def _untold(row: Row, columns: tuple[str, ...]) -> list[object]:
    """Values that are no text, such as a label that is true or false."""
    return [row.get(name) for name in columns if isinstance(row.get(name), bool | int | float)]
