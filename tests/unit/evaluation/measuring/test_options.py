import json

import pytest

from ftkit.errors import BadInput
from ftkit.evaluation.measuring.catalogue import suggested
from ftkit.evaluation.measuring.options import Options, read_checks

CHECKS = """
- name: order_number
  kind: regex
  pattern: '#\\d{5}'
- {name: polite, kind: contains, texts: [please, thank you], all: false}
"""


def test_options_travel_as_json() -> None:
    options = Options.from_json(
        {"task": "chat", "metrics": ["perplexity", "bleu", "bleu"], "checks": read_checks(CHECKS)}
    )
    assert options.metrics == ("bleu", "perplexity")
    assert [check.metric for check in options.checks] == ["check_order_number", "check_polite"]
    assert Options.from_json(json.loads(json.dumps(options.as_json()))) == options
    assert Options.from_json({}) == Options() == Options.from_json(Options().as_json())


def test_what_was_not_said_is_found_from_the_rows() -> None:
    rows = (["q"] * 4, ["yes", "no", "yes", "no"])
    assert Options().for_rows(*rows) == ("classification", suggested("classification"))
    assert Options(task="chat").for_rows(*rows) == ("chat", suggested("chat"))
    assert Options(metrics=("bleu",)).for_rows(*rows) == ("classification", ("bleu",))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"task": "poetry"}, "no task “poetry”. Use one of: generation"),
        ({"metrics": ["bleu", "meteor"]}, "no metric “meteor”. Use some of: accuracy"),
        ({"metrics": []}, "No metric is chosen"),
    ],
)
def test_unknown_tasks_and_metrics_are_refused(value: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Options.from_json(value)


def test_checks_may_be_json_or_nothing() -> None:
    assert read_checks('[{"kind": "contains", "name": "a", "texts": ["x"]}]')[0]["name"] == "a"
    assert read_checks(" \n") == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "cannot be read"),
        ("- !!python/object/apply:os.system [true]", "cannot be read"),
        ("- &a [x]\n- *a", "aliases"),
        ("x" * 100_001, "too long"),
        ("name: a", "must be a list"),
        ("[" * 5000, "cannot be read"),
    ],
)
def test_unreadable_checks_are_refused(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_checks(text)
