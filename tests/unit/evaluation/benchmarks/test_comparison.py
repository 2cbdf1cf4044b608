import json
from typing import Any

import pytest

from ftkit.evaluation.benchmarks.comparison import compare
from ftkit.evaluation.benchmarks.lines import benchmark_lines
from ftkit.evaluation.measuring.certainty import accuracy_difference
from ftkit.evaluation.report.words import words


def side(task: str, scores: list[float], **changes: Any) -> dict[str, Any]:
    metric = {
        "name": "acc",
        "filter": "none",
        "higher": True,
        "value": sum(scores) / len(scores) if scores else None,
        "error": 0.1,
        "scores": {f"{task} {n}": score for n, score in enumerate(scores)},
        **changes,
    }
    return {task: {"rows": len(scores), "metrics": {"acc,none": metric}}}


def one(base: dict[str, Any], tuned: dict[str, Any]) -> dict[str, Any]:
    (line,) = compare(base, tuned, 42)
    return line


def test_right_and_wrong_answers_are_paired_as_proportions() -> None:
    import numpy as np

    before, after = [0.0] * 30 + [1.0] * 10, [1.0] * 30 + [1.0] * 5 + [0.0] * 5
    line = one(side("a", before), side("a", after))
    wanted = accuracy_difference(np.array(before), np.array(after))
    assert (line["difference"], line["low"], line["high"], line["p"]) == pytest.approx(tuple(wanted))
    assert (line["verdict"], line["base_error"], line["rows"]) == ("better", 0.1, 40)


def test_a_lower_value_is_better_where_the_task_says_so() -> None:
    before, after = [3.0 + n / 100 for n in range(20)], [2.0 + n / 100 for n in range(20)]
    assert one(side("a", before, higher=False), side("a", after, higher=False))["verdict"] == "better"
    assert one(side("a", before), side("a", after))["verdict"] == "worse"
    assert one(side("a", before, higher=None), side("a", after, higher=None))["verdict"] == "changed"


def test_a_corpus_score_has_no_interval_that_would_be_wrong() -> None:
    line = one(side("a", [1.0, 2.0], value=9.0), side("a", [1.0, 2.0], value=8.0))
    assert (line["difference"], line["low"], line["p"], line["verdict"]) == (-1.0, None, None, "not_paired")
    other_rows = side("a", [1.0, 0.0])
    other_rows["a"]["metrics"]["acc,none"]["scores"] = {"a 7": 1.0, "a 8": 0.0}
    assert one(side("a", [1.0, 0.0]), other_rows)["verdict"] == "not_paired"


def test_what_came_to_no_number_is_no_zero() -> None:
    line = one(side("a", [1.0, 0.0], value=None), side("a", [1.0, 0.0]))
    assert (line["base"], line["difference"], line["verdict"]) == (None, None, "not_measured")


def test_many_tasks_are_adjusted_together_and_the_seed_decides() -> None:
    before, after = [float(n % 3) for n in range(12)], [float(n % 3) + 0.1 * (n % 2) for n in range(12)]
    base = side("a", before) | side("b", before)
    tuned = side("a", after) | side("b", after)
    lines = compare(base, tuned, 42)
    assert [line["p_adjusted"] for line in lines] == pytest.approx([2 * line["p"] for line in lines])
    assert lines == compare(base, tuned, 42)
    json.dumps(lines, allow_nan=False)


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_every_verdict_has_words_and_the_newest_report_stands(lang: str) -> None:
    unclear = compare(side("a", [0.0, 1.0, 1.0]), side("a", [1.0, 1.0, 1.0]), 42)
    corpus = compare(side("b", [1.0], value=9.0), side("b", [1.0], value=8.0), 42)
    nothing = compare(side("c", [1.0], value=None), side("c", [1.0]), 42)
    newest = {"lines": [*unclear, *corpus, *nothing], "limit": None, "chat": False}
    older = {"lines": compare(side("a", [0.0]), side("a", [0.0]), 42), "limit": None, "chat": False}
    limited = older | {"limit": 1, "chat": True}
    lines = benchmark_lines([newest, older, limited], words(lang))
    assert [line.tone for line in lines] == ["unclear", "not_paired", "not_measured", "same"]
    assert all(line.verdict for line in lines)
    assert lines[0].base == words(lang).number(2 / 3, 3) + " ± " + words(lang).number(0.1, 3)
    assert lines[2].base == "–"
    assert lines[3].task != "a"
