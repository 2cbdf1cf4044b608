"""Checks of a person's own on each answer: a pattern, a JSON schema, or words that must stand in it. No code.

Takes what a person wrote (JSON or YAML values), gives checks that say of an answer: passed, failed, or not to be told in
time. A schema never fetches another one, and a pattern is given up after a moment.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import regex

from ftkit.errors import BadInput
from ftkit.evaluation.measuring.catalogue import CHECK, FIELD_ENDINGS

KINDS = ("regex", "json_schema", "contains")
MOST_CHECKS = 20
MATCH_SECONDS = 0.5
CHECK_SECONDS = 20.0  # of giving up, over all answers; after it the rest is not scored
_LONGEST_PATTERN = 2000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_KEYS: Mapping[str, frozenset[str]] = {
    "regex": frozenset({"pattern", "whole", "ignore_case"}),
    "json_schema": frozenset({"schema"}),
    "contains": frozenset({"texts", "all", "ignore_case"}),
}


class OutOfTime(Exception):
    """A pattern took too long on an answer."""


@dataclass(frozen=True)
class Check:
    """One check. ``given`` is what the person wrote, with nothing left out."""

    name: str
    kind: str
    given: Mapping[str, Any] = field(hash=False)

    @property
    def metric(self) -> str:
        """Key of its share of passed answers."""
        return f"{CHECK}{self.name}"

    def passes(self, answer: str) -> bool:
        """Whether the answer holds to it.

        Raises:
            OutOfTime: a pattern took too long.
        """
        if self.kind == "contains":
            return self._contains(answer)
        if self.kind == "regex":
            pattern = regex.compile(self.given["pattern"], self._flags)
            look = pattern.fullmatch if self.given.get("whole") else pattern.search
            return _in_time(look, answer)
        try:
            value = json.loads(answer, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return False
        return _fits(value, self.given["schema"])

    @property
    def _flags(self) -> int:
        return int(regex.IGNORECASE) if self.given.get("ignore_case") else 0

    def _contains(self, answer: str) -> bool:
        fold = str.casefold if self.given.get("ignore_case") else str
        found = [fold(text) in fold(answer) for text in self.given["texts"]]
        return all(found) if self.given.get("all", True) else any(found)


class Runner:
    """One check over many answers; what takes too long is None, never a failure."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._lost = 0.0

    def score(self, answer: str) -> float | None:
        """1 for passed, 0 for failed, None where it could not be told in time."""
        if self._lost >= CHECK_SECONDS:
            return None
        begun = time.monotonic()
        try:
            return float(self._check.passes(answer))
        except OutOfTime:
            self._lost += time.monotonic() - begun
            return None


def parse_checks(value: Any) -> tuple[Check, ...]:
    """Checks from a list of objects.

    Raises:
        BadInput: one of them cannot be used; the sentence says which and why.
    """
    if not isinstance(value, list):
        raise BadInput(
            "evaluation.checks_no_list",
            "The checks must be a list. Begin each with “- kind:” and its “name:”.",
        )
    if len(value) > MOST_CHECKS:
        raise BadInput(
            "evaluation.too_many_checks", "There are more than {limit} checks. Use fewer.", limit=MOST_CHECKS
        )
    checks = tuple(_check(number, one) for number, one in enumerate(value, start=1))
    names = [check.name for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(
                "evaluation.check_twice", "Two checks are called “{name}”. Rename one of them.", name=name
            )
    return checks


def _check(number: int, value: Any) -> Check:
    kind = value.get("kind") if isinstance(value, Mapping) else None
    if kind not in KINDS:
        raise BadInput(
            "evaluation.check_kind",
            "Check {number}: “kind” is {given}. Use one of: {known}.",
            number=number,
            given=str(kind)[:60],
            known=", ".join(KINDS),
        )
    name = value.get("name")
    # An ending of a field's metric would make two metrics of one key.
    if not (isinstance(name, str) and _NAME.fullmatch(name)) or f"_{name}".endswith(tuple(FIELD_ENDINGS)):
        raise BadInput(
            "evaluation.check_name",
            "Check {number}: “name” is {given}. Use at most 40 letters, digits, - and _, and no ending of a metric.",
            number=number,
            given=str(name)[:60],
        )
    if unknown := set(value) - _KEYS[kind] - {"kind", "name"}:
        raise BadInput(
            "evaluation.check_key",
            "The check “{name}” has “{option}”, which a check of the kind {kind} does not know. Use: {known}.",
            name=name,
            option=min(map(str, unknown))[:60],
            kind=kind,
            known=", ".join(sorted(_KEYS[kind])),
        )
    given = {key: value[key] for key in value if key not in ("kind", "name")}
    for problem in _problems(kind, given):
        raise BadInput(
            "evaluation.check_unusable",
            "The check “{name}” cannot be used ({problem}). Correct it.",
            name=name,
            problem=problem,
        )
    return Check(name, kind, given)


def _problems(kind: str, given: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the values, the first first."""
    for key in ("whole", "ignore_case", "all"):
        if key in given and not isinstance(given[key], bool):
            yield f"“{key}” must be true or false"
    if kind == "regex":
        yield from _pattern_problems("pattern", given.get("pattern"))
    elif kind == "contains":
        texts = given.get("texts")
        if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
            yield "“texts” must be a list of texts, none of them empty"
    else:
        yield from _schema_problems(given.get("schema"))


def _pattern_problems(key: str, pattern: Any) -> Iterator[str]:
    if not isinstance(pattern, str) or not pattern:
        yield f"“{key}” must be a text"
        return
    if len(pattern) > _LONGEST_PATTERN:
        yield f"“{key}” is longer than {_LONGEST_PATTERN} characters"
        return
    try:
        regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        yield f"“{key}”: {error}"


def _schema_problems(schema: Any) -> Iterator[str]:
    import jsonschema  # noqa: PLC0415 - it takes a while, and most evaluations have no schema

    if not isinstance(schema, dict):
        yield "“schema” must be an object"
        return
    try:
        json.dumps(schema)
        jsonschema.Draft202012Validator.check_schema(schema)
        for key, value in _pairs(schema):
            if key in ("$ref", "$dynamicRef") and not str(value).startswith("#"):
                yield f"“{key}” to {str(value)[:60]}: only references inside the schema are followed"
            if key == "patternProperties":
                yield "“patternProperties” is not offered; name the properties"
            if key == "pattern" and isinstance(value, str):
                yield from _pattern_problems(key, value)
    except jsonschema.SchemaError as error:
        yield f"“schema”: {error.message[:200]}"
    except (TypeError, ValueError, RecursionError):
        yield "“schema” is not JSON"


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield str(key), inside
            yield from _pairs(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _pairs(inside)


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    import jsonschema  # noqa: PLC0415 - as above
    from referencing import Registry  # noqa: PLC0415 - as above

    # The library's own search has no limit of time, and its own registry would ask the network.
    limited = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _search_in_time})
    try:
        return bool(limited(schema, registry=Registry()).is_valid(value))
    except RecursionError as error:
        raise OutOfTime from error


def _search_in_time(_: Any, pattern: str, value: Any, __: Any) -> Iterator[Any]:
    import jsonschema  # noqa: PLC0415 - as above

    if isinstance(value, str) and not _in_time(regex.compile(pattern).search, value):
        yield jsonschema.ValidationError("the pattern does not match")


def _in_time(look: Any, text: str) -> bool:
    try:
        return look(text, timeout=MATCH_SECONDS) is not None
    except TimeoutError as error:
        raise OutOfTime from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
