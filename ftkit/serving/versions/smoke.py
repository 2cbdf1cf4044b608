"""The test before a switch: a version answers a few prompts, and only one that does becomes live.

Takes an engine with a source and the prompts, gives a report. It asks for the likeliest answers, so the same version is judged alike
each time. It switches nothing.
"""

import time
from collections.abc import Callable, Sequence

from pydantic import Field

from ftkit.errors import FtkitError, Refused
from ftkit.records import Record
from ftkit.serving.engines.asking import Answer, Asked, Engine, Source

_TOKENS = 24
_LONGEST_SHOWN = 400
_MOST_SECONDS = 300.0
FIXED: tuple[str, ...] = (
    "Hello! What can you help me with?",
    "Türkiye'nin başkenti neresidir?",
    "Write one short sentence about the sea.",
)


class Check(Record):
    """One prompt of the test."""

    prompt: str
    answer: str = ""
    tokens: int = 0
    seconds: float = 0.0
    problem: str = Field(
        default="", description="empty, slow, or the key of an error; nothing where it passed."
    )


class Report(Record):
    """What the test found."""

    checks: tuple[Check, ...]
    seconds: float
    passed: bool
    error: dict[str, object] | None = Field(default=None, description="Why it did not pass.")


def fixed_prompts() -> list[Asked]:
    """Prompts that every version must answer."""
    return [asked_of([{"role": "user", "content": text}]) for text in FIXED]


def asked_of(messages: Sequence[dict[str, str]], plain: bool = False) -> Asked:
    """A prompt of the test; ``plain`` ones go to the model as they stand."""
    prompt = "".join(message["content"] for message in messages) if plain else ""
    return Asked(
        messages=() if plain else tuple(messages), prompt=prompt, max_tokens=_TOKENS, temperature=0.0
    )


def smoke(
    engine: Engine, source: Source, prompts: Sequence[Asked], clock: Callable[[], float] = time.monotonic
) -> Report:
    """Ask them one after another; the first error ends it.

    Args:
        engine: what answers.
        source: the version's model.
        prompts: what is asked.
        clock: seconds.
    """
    begun, checks, error = clock(), [], None
    for asked in prompts:
        try:
            check = _ask(engine, source, asked, clock)
        except FtkitError as problem:
            checks.append(Check(prompt=_shown(asked), problem=problem.key))
            error = problem
            break
        checks.append(check)
        if clock() - begun > _MOST_SECONDS:
            checks[-1] = check.model_copy(update={"problem": "slow"})
            error = Refused(
                "serving.too_slow",
                "{count} prompts took {seconds:.0f} s, more than {most:.0f} s. Serve it with a faster engine, or on a free machine.",
                count=len(checks),
                seconds=clock() - begun,
                most=_MOST_SECONDS,
            )
            break
    empty = [check.prompt for check in checks if check.problem == "empty"]
    if error is None and empty:
        error = Refused(
            "serving.empty_answers",
            "{count} of {all} prompts got an empty answer, such as {prompt}. Look at the answers on the compare page, and deploy with "
            "“anyway” if that is meant.",
            count=len(empty),
            all=len(checks),
            prompt=repr(empty[0][:80]),
        )
    told = None if error is None else error.as_dict()
    return Report(checks=tuple(checks), seconds=clock() - begun, passed=error is None, error=told)


def only_empty(report: Report) -> bool:
    """Whether empty answers are all that is wrong, which a person may know to be right."""
    return report.error is not None and report.error["key"] == "serving.empty_answers"


def _ask(engine: Engine, source: Source, asked: Asked, clock: Callable[[], float]) -> Check:
    begun, last = clock(), Answer()
    for answer in engine.answer(source, asked):
        last = answer
    return Check(
        prompt=_shown(asked),
        answer=last.text[:_LONGEST_SHOWN],
        tokens=last.tokens,
        seconds=clock() - begun,
        problem="" if last.text.strip() else "empty",
    )


def _shown(asked: Asked) -> str:
    text = str(asked.messages[-1]["content"]) if asked.messages else asked.prompt
    return text[:_LONGEST_SHOWN]
