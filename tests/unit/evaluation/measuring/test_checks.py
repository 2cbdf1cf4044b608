import socket
import time
from typing import Any

import pytest

from ftkit.errors import BadInput
from ftkit.evaluation.measuring import checks
from ftkit.evaluation.measuring.checks import Check, Runner, parse_checks

SHAPE = {
    "type": "object",
    "properties": {"mood": {"enum": ["glad", "sad"]}, "code": {"type": "string", "pattern": "^[A-Z]{2}$"}},
    "required": ["mood"],
    "additionalProperties": False,
}
TREE = {"$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}, "$ref": "#/$defs/node"}


def check(kind: str, **given: Any) -> Check:
    return parse_checks([{"kind": kind, "name": "one", **given}])[0]


@pytest.mark.parametrize(
    ("made", "answer", "passes"),
    [
        (check("regex", pattern=r"#\d{5}"), "order #12345 is late", True),
        (check("regex", pattern=r"#\d{5}"), "order 12345", False),
        (check("regex", pattern="late", whole=True), "late", True),
        (check("regex", pattern="late", whole=True), "too late", False),
        (check("regex", pattern="LATE", ignore_case=True), "late", True),
        (check("regex", pattern="^$"), "", True),
        (check("regex", pattern="ışık"), "ışık", True),
        (check("contains", texts=["a", "b"]), "b and a", True),
        (check("contains", texts=["a", "b"]), "only a", False),
        (check("contains", texts=["a", "b"], all=False), "only a", True),
        (check("contains", texts=["x", "q"], all=False), "only a", False),
        (check("contains", texts=["Sorry"]), "sorry", False),
        (check("contains", texts=["Sorry"], ignore_case=True), "SORRY!", True),
        (check("contains", texts=["a"]), "", False),
        (check("json_schema", schema=SHAPE), '{"mood": "glad"}', True),
        (check("json_schema", schema=SHAPE), '{"mood": "glad", "code": "TR"}', True),
        (check("json_schema", schema=SHAPE), '{"mood": "glad", "code": "Türkiye"}', False),
        (check("json_schema", schema=SHAPE), '{"mood": "angry"}', False),
        (check("json_schema", schema=SHAPE), '{"mood": "glad", "more": 1}', False),
        (check("json_schema", schema=SHAPE), "glad", False),
        (check("json_schema", schema=SHAPE), "", False),
        (check("json_schema", schema={"type": "number"}), "NaN", False),
        (check("json_schema", schema={"type": "array"}), "[1]", True),
        (check("json_schema", schema=TREE), "[[], [[]]]", True),
        (check("json_schema", schema=TREE), "[[], [1]]", False),
    ],
)
def test_what_passes(made: Check, answer: str, passes: bool) -> None:
    assert made.passes(answer) is passes
    assert Runner(made).score(answer) == float(passes)


@pytest.mark.parametrize(
    "slow",
    [
        check("regex", pattern=r"(a|aa)+$"),
        check("json_schema", schema={"type": "string", "pattern": r"(a|aa)+$"}),
    ],
)
def test_a_pattern_that_takes_too_long_is_not_a_failure(slow: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MATCH_SECONDS", 0.05)
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.12)
    hard = "a" * 60 + "-"
    answer = f'"{hard}"' if slow.kind == "json_schema" else hard
    runner, begun = Runner(slow), time.monotonic()
    assert [runner.score(answer) for _ in range(50)] == [None] * 50
    assert time.monotonic() - begun < 2  # after some it is given up for good


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({}, "must be a list"),
        (["x"], "Check 1: “kind” is None"),
        ([{"kind": "python", "name": "a"}], "“kind” is python. Use one of: regex"),
        ([{"kind": "regex", "pattern": "a"}], "“name” is None"),
        ([{"kind": "regex", "name": "a b", "pattern": "a"}], "“name” is a b"),
        ([{"kind": "regex", "name": "x_accuracy", "pattern": "a"}], "no ending of a metric"),
        ([{"kind": "regex", "name": "accuracy", "pattern": "a"}], "no ending of a metric"),
        ([{"kind": "regex", "name": "a", "pattern": "a"}] * 2, "Two checks are called “a”"),
        (
            [{"kind": "regex", "name": "a", "pattern": "(", "whole": True}],
            "“a” cannot be used (“pattern”: missing )",
        ),
        ([{"kind": "regex", "name": "a", "pattern": ""}], "must be a text"),
        ([{"kind": "regex", "name": "a", "pattern": "a" * 3000}], "longer than 2000"),
        ([{"kind": "regex", "name": "a", "pattern": "a", "flags": 1}], "has “flags”"),
        ([{"kind": "regex", "name": "a", "pattern": "a", "whole": "yes"}], "“whole” must be true or false"),
        ([{"kind": "contains", "name": "a", "texts": "word"}], "must be a list of texts"),
        ([{"kind": "contains", "name": "a", "texts": []}], "must be a list of texts"),
        ([{"kind": "contains", "name": "a", "texts": [""]}], "none of them empty"),
        ([{"kind": "json_schema", "name": "a"}], "must be an object"),
        ([{"kind": "json_schema", "name": "a", "schema": {"type": "text"}}], "“schema”: 'text'"),
        (
            [{"kind": "json_schema", "name": "a", "schema": {"$ref": "https://example.org/x.json"}}],
            "only references inside",
        ),
        (
            [
                {
                    "kind": "json_schema",
                    "name": "a",
                    "schema": {"items": {"$dynamicRef": "file:///etc/passwd"}},
                }
            ],
            "only references inside",
        ),
        (
            [{"kind": "json_schema", "name": "a", "schema": {"patternProperties": {"a": {}}}}],
            "“patternProperties” is not offered",
        ),
        ([{"kind": "json_schema", "name": "a", "schema": {"pattern": "("}}], "is not a 'regex'"),
        ([{"kind": "contains", "name": f"a{n}", "texts": ["x"]} for n in range(21)], "more than 20 checks"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(value: Any, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_checks(value)
    assert says in str(refused.value)


def test_a_schema_asks_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *given, **_: asked.append(given) or [])
    made = Check("a", "json_schema", {"schema": {"$ref": "https://example.org/x.json"}})  # past the refusal
    with pytest.raises(Exception, match=r"example\.org"):
        made.passes("{}")
    assert asked == []


def test_a_schema_that_never_ends_is_not_scored() -> None:
    endless = check("json_schema", schema={"$ref": "#"})
    assert Runner(endless).score("{}") is None
