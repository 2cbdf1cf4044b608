"""The error analysis as HTML, over rows that are written to break it."""

from types import SimpleNamespace
from typing import Any

import pytest

from ftkit.evaluation.errors.analysis import Analysis
from ftkit.evaluation.errors.selection import Selection
from ftkit.evaluation.errors.service import Looked
from ftkit.evaluation.service import EvaluationView
from ftkit.records import Evaluation
from ftkit.ui.evaluation.errors.overview import Overview
from ftkit.ui.evaluation.errors.rows import Rows, Source
from tests.finished_run import NOW
from tests.unit.evaluation.sample import REFERENCES, measured, sample

BAD = "<img src=x onerror=alert(1)>"


def looked(samples: list[dict[str, Any]], **people: Any) -> Looked:
    evaluation = Evaluation(id="e1", name="e", created_at=NOW, run="r1", split="s1", part="test")
    view = EvaluationView(evaluation, SimpleNamespace(state="done"), measured(), None)
    return Looked(view, measured(), Analysis(samples), people.get("tags", {}), people.get("answers", {}))


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_nothing_from_outside_becomes_a_tag(lang: str) -> None:
    texts = {"prompt": BAD, "system": BAD, "tuned_answer": f"{REFERENCES[0]} {BAD}", "base_answer": BAD}
    rows = [
        sample(n, **texts)
        | {"topic": BAD if n % 2 else "x", f"column_{BAD}": BAD if n % 3 else "y", "language": BAD}
        for n in range(24)
    ]
    found = looked(rows, tags={0: (BAD,)}, answers={0: BAD})
    for chosen in (
        Selection(),
        Selection(tag=BAD),
        Selection(slice="topic", value=BAD),
        Selection(slice="topic", value="gone"),
    ):
        listed, overview = Rows(found, chosen, lang), Overview(found, chosen, lang)
        made = [listed.page(1, 0), listed.opened(0, Source(None, 0)), overview.head(), overview.conditions()]
        made += [overview.confusion(), overview.errors(), overview.slices(), overview.tags()]
        text = "".join(made)
        assert "<del>" in text
        assert "<img" not in text
        assert "&lt;img" in text


def test_plain_texts_have_no_answers_and_no_errors_to_count() -> None:
    row = {
        "row": 0,
        "system": None,
        "prompt": "",
        "reference": "a text",
        "scored_tokens": 2,
        "base_nll": 1.0,
        "tuned_nll": 3.0,
    }
    found = looked([row | {"base_answer": None, "tuned_answer": None}])
    assert [one.name for one in found.analysis.measures] == ["perplexity"]
    assert "plain text" in Overview(found, Selection(), "en").errors()
    opened = Rows(found, Selection(), "en").opened(0, Source(None, 0))
    assert "a text" in opened
    assert "ft-diff" not in opened


def test_the_pages_of_the_list_and_the_rows_beside_an_opened_one() -> None:
    found = looked([sample(n) for n in range(25)])
    rows = Rows(found, Selection(sort="row"), "en")
    assert "21 to 25 of 25 rows" in rows.page(3, None)
    assert "21 to 25 of 25 rows" in rows.page(99, None)
    assert "1 to 10 of 25 rows" in rows.page(0, None)
    opened = rows.opened(10, Source(None, 0))
    assert "row=9#" in opened
    assert "page=2&amp;row=11#" in opened
    assert "no such row" in rows.opened(25, Source(None, 0))
    assert "do not hold" in Rows(found, Selection(kind="regression"), "en").opened(3, Source(None, 0))


def test_no_row_is_said_so() -> None:
    found = looked([sample(0)])
    assert "The filters leave no row" in Rows(found, Selection(kind="regression"), "en").page(1, None)
