"""Preference rows out of the ratings of a study, by stated rules; everything that teaches nothing is counted.

Takes items and ratings, gives rows and counts in a fixed order. It writes no file and asks nobody.

The rules:
    1. What does not count in the results of a study does not count here: ratings of gold items, incomplete and flagged ones, those of
       raters who were shut out or got too many gold items wrong; nor do those of raters who are left out by name.
    2. An answer that a rater mended is better than what it mends. An item with such an edit is not decided by the vote; each
       different edit is a pair of its own.
    3. Otherwise more than half of the ratings of an item must agree, and as many as are wished for. pairs: the winner is the
       better answer. scales: the higher mean, by the margin. ranking: the best against the worst, and each against the next.
       pass_fail: each that passed against each that failed.
    4. A tie, no majority, two bad answers, the same text twice and an empty text teach nothing. With KTO bad answers are bad
       ones, and a tie is two good ones where that is wished for.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ftkit.ratings.preferences.verdicts import CONFLICT, verdict
from ftkit.ratings.preferences.wishes import PreferenceWishes
from ftkit.ratings.results.rated import BOTH_BAD, Rated
from ftkit.ratings.results.selecting import REASONS as REASONS_OF_RESULTS
from ftkit.ratings.results.selecting import Asked, ResultOptions, select
from ftkit.ratings.studies.items import Item

VOTE, EDIT = "vote", "edit"
UNRATED, IDENTICAL, EMPTY = "unrated", "identical", "empty"
REASONS = (UNRATED, CONFLICT, "tie", BOTH_BAD, IDENTICAL, EMPTY)
LEFT_OUT_RATER = "left_out_raters"
NOT_COUNTED = (*REASONS_OF_RESULTS, LEFT_OUT_RATER)


class PreferenceRow(NamedTuple):
    """One row. Of a pair ``rejected`` is the worse answer; of a marked answer it is None and ``good`` says which it is."""

    item: str
    prompt: tuple[dict[str, str], ...]
    answer: str
    rejected: str | None
    good: bool
    made_by: str
    side: str


class Preferences(NamedTuple):
    """Rows in the order of the items.

    ``counts``: ``items`` (without gold) = ``items_used`` + one count for each of ``REASONS``; ``rows`` = ``rows_vote`` +
    ``rows_edit``; ``ratings`` = ``ratings_used`` + those that do not count, by reason; ``edits`` = those that became rows +
    ``edits_left_out`` (they change nothing, are empty, or say the same as another).
    """

    rows: list[PreferenceRow]
    counts: dict[str, int]


def preferences(
    items: Sequence[Item],
    rated: Sequence[Rated],
    wishes: PreferenceWishes,
    asked: Asked,
    revoked: Collection[str] = (),
) -> Preferences:
    """Apply the rules.

    Args:
        items: of the study, gold ones among them.
        rated: its ratings.
        wishes: how they are applied.
        asked: what the study asks.
        revoked: ids of raters who were shut out.
    """
    counts: Counter[str] = Counter()
    by_item = _sorted_out(rated, wishes, asked, revoked, counts)
    rows: list[PreferenceRow] = []
    for item in sorted(items, key=lambda one: one.place):
        if item.gold is not None:
            continue
        counts["items"] += 1
        found, reason = _rows_of(item, by_item.get(item.id, []), wishes, asked, counts)
        counts["items_used" if found else reason] += 1
        rows += found
    made_by = Counter(row.made_by for row in rows)
    whole = {"items": 0, "items_used": 0, **dict.fromkeys(REASONS, 0)}
    whole |= {"rows": len(rows), "rows_vote": made_by[VOTE], "rows_edit": made_by[EDIT]}
    whole |= {"edits": 0, "edits_left_out": 0, "ratings": 0, "ratings_used": 0}
    whole |= {f"ratings_{reason}": 0 for reason in NOT_COUNTED}
    return Preferences(rows, whole | dict(counts))


def _sorted_out(
    rated: Sequence[Rated],
    wishes: PreferenceWishes,
    asked: Asked,
    revoked: Collection[str],
    counts: Counter[str],
) -> dict[str, list[Rated]]:
    """The ratings that count, by item, in an order that does not depend on who was faster."""
    ordered = sorted(rated, key=lambda one: (one.place, one.rater))
    seen = ResultOptions(without_revoked=wishes.without_revoked, least_gold=wishes.least_gold)
    found: dict[str, list[Rated]] = {}
    for one, why in zip(ordered, select(ordered, asked, revoked, seen).reasons, strict=True):
        reason = why or (LEFT_OUT_RATER if one.rater in wishes.without else None)
        counts["ratings"] += 1
        counts[f"ratings_{reason or 'used'}"] += 1
        if reason is None:
            found.setdefault(one.item, []).append(one)
    return found


def _rows_of(
    item: Item,
    ratings: Sequence[Rated],
    wishes: PreferenceWishes,
    asked: Asked,
    counts: Counter[str],
) -> tuple[list[PreferenceRow], str]:
    """The rows of an item, or why there are none."""
    if not ratings:
        return [], UNRATED
    rows = _edited(item, ratings, wishes, counts) if wishes.edits else []
    if rows:
        return rows, ""
    said = verdict(asked, ratings, wishes)
    texts = [answer.text for answer in item.answers]
    wanted: list[tuple[int, str | None, bool]]
    if wishes.method == "dpo":
        wanted = [(better, texts[worse], True) for better, worse in said.pairs]
    else:
        marked = {**dict.fromkeys(said.good, True), **dict.fromkeys(said.bad, False)}
        wanted = [(answer, None, mark) for answer, mark in sorted(marked.items())]
    if not wanted:
        return [], said.reason or CONFLICT
    made = [
        PreferenceRow(item.id, item.prompt, texts[answer], worse, good, VOTE, item.answers[answer].side)
        for answer, worse, good in wanted
    ]
    fit = list(_fitting(made))
    if fit:
        return fit, ""
    return [], EMPTY if any(_is_empty(row) for row in made) else IDENTICAL


def _edited(
    item: Item, ratings: Sequence[Rated], wishes: PreferenceWishes, counts: Counter[str]
) -> list[PreferenceRow]:
    """A row for each different edit; with KTO two, the mended answer and the one that it mends."""
    given = [edit for one in ratings for edit in _edits(one.values.get("edits") or {})]
    counts["edits"] += len(given)
    different = sorted({(answer, text.strip()): text for answer, text in reversed(given)}.items())
    made: list[PreferenceRow] = []
    used = 0
    for (answer, _), text in different:
        old = item.answers[answer]
        pair = PreferenceRow(item.id, item.prompt, text, old.text, True, EDIT, "")
        worse = PreferenceRow(item.id, item.prompt, old.text, None, False, EDIT, old.side)
        marked = [pair._replace(rejected=None), *([] if worse in made else [worse])]
        fit = list(_fitting([pair] if wishes.method == "dpo" else marked))
        if text.strip() != old.text.strip() and fit and fit[0].good:
            made += fit
            used += 1
    counts["edits_left_out"] += len(given) - used
    return made


def _edits(edits: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    for answer, text in edits.items():
        yield int(answer), text


def _fitting(rows: Iterable[PreferenceRow]) -> Iterator[PreferenceRow]:
    """Those whose texts can be learnt from."""
    for row in rows:
        if not _is_empty(row) and row.answer.strip() != (row.rejected or "").strip():
            yield row


def _is_empty(row: PreferenceRow) -> bool:
    return not row.answer.strip() or (row.rejected is not None and not row.rejected.strip())
