"""The format worker: gives the rows of a dataset another shape; one question, one answer.

Takes files of rows and what shape they shall have, leaves a new file and says what was skipped. Templates come from
anybody: they run here in a sandbox, within limits of time and memory that end this process and nothing else.
"""

import resource
import signal
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import jinja2

from ftkit.data import storage
from ftkit.data.chat import RowProblem
from ftkit.data.formatting.shapes import CARRIED, COLUMNS, JSON_COLUMNS, Render, shaped
from ftkit.errors import BadInput
from ftkit.models.chat_template import FAILURES, TemplateRefusal, read_chat_template, sandbox, special_tokens
from ftkit.workers.harness import answer

_ROW_SECONDS = 2.0
_MEMORY = 3 * 1024**3  # bytes of address space
_LONGEST_ROW = 2_000_000  # characters
_KEPT_REASONS = 50


class _TooSlow(Exception):
    """One row takes longer than a template may."""


def format_rows(question: dict[str, Any]) -> dict[str, Any]:
    """Write the new rows.

    Args:
        question: ``source`` and ``target`` (files), ``mapping``, ``shape``, ``template`` (Jinja) or ``model`` (folder),
            ``seconds`` of processor time.

    Returns:
        ``rows``, ``columns``, ``skipped_count``, and of the first ``skipped`` rows their number and reason.

    Raises:
        BadInput: the template cannot be used, or no row has what the shape needs.
    """
    _limit(question["seconds"])
    render = _within(_renderer(question))
    source, shape = Path(question["source"]), question["shape"]
    columns, json_columns = _columns(source, question["mapping"], shape)
    rows, skipped = 0, list[tuple[int, str]]()
    target = Path(question["target"])
    with storage.RowsWriter(
        target, [*COLUMNS[shape], *columns], [*JSON_COLUMNS[shape], *json_columns]
    ) as writer:
        for number, row in enumerate(storage.iterate_rows(source), start=1):
            try:
                made = shaped(row, question["mapping"], shape, render)
            except (RowProblem, TemplateRefusal) as problem:
                skipped.append((number, str(problem)))
                continue
            writer.add({**made, **{name: row.get(name) for name in columns}})
            rows += 1
    if not rows:
        number, reason = skipped[0]
        raise BadInput(
            "data.nothing_to_format",
            "None of the {count} rows can get this form. Row {row}: {reason}.",
            count=len(skipped),
            row=number,
            reason=reason,
        )
    return {
        "rows": rows,
        "columns": [*COLUMNS[shape], *columns],
        "skipped_count": len(skipped),
        "skipped": skipped[:_KEPT_REASONS],
    }


def _limit(seconds: int) -> None:
    """Limits of the whole process; what is beyond them ends it."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _columns(source: Path, mapping: Mapping[str, str], shape: Any) -> tuple[list[str], list[str]]:
    """Columns that stay as they are: those without a role whose name is still free."""
    columns, json_columns = storage.columns_of(source)
    carried = {mapping[role] for role in CARRIED[shape] if role in mapping}
    taken = {*COLUMNS[shape], *mapping.values()} - carried
    kept = [name for name in columns if name not in taken]
    return kept, [name for name in json_columns if name in kept]


def _renderer(question: Mapping[str, Any]) -> Render:
    if question["model"]:
        folder = Path(question["model"])
        template, end = read_chat_template(folder), special_tokens(folder).get("eos_token", "")
        begin = _written_anyway(folder)

        def as_model(values: Mapping[str, Any]) -> str:
            text = template.render(values["messages"]).removeprefix(begin)
            # The end token that training adds to a text shall not be a second one.
            return text.rstrip() if end and text.rstrip().endswith(end) else text

        return as_model
    try:
        compiled = sandbox(undefined=jinja2.StrictUndefined).from_string(question["template"])
    except jinja2.TemplateSyntaxError as error:
        raise _unusable(error.lineno, error.message or "syntax") from error

    def as_template(values: Mapping[str, Any]) -> str:
        try:
            return compiled.render(values)
        except FAILURES as error:
            raise _unusable(_line(error), str(error) or type(error).__name__) from error

    return as_template


def _written_anyway(folder: Path) -> str:
    """The token that the tokenizer itself puts before each text, so that the text must not hold it too."""
    from ftkit.workers.training.rows import FastTokenizer  # noqa: PLC0415 - only where a model is named

    tokenizer, begin = FastTokenizer(folder), special_tokens(folder).get("bos_token", "")
    twice = tokenizer.pieces(tokenizer.text(f"{begin}a"))
    return begin if begin and twice[:2] == [begin, begin] else ""


def _within(render: Render) -> Render:
    """The same renderer, within the time and the length of one row."""
    signal.signal(signal.SIGALRM, _too_slow)

    def limited(values: Mapping[str, Any]) -> str:
        signal.setitimer(signal.ITIMER_REAL, _ROW_SECONDS)
        try:
            text = render(values)
        except (_TooSlow, MemoryError) as error:
            raise BadInput(
                "data.template_too_heavy",
                "The template takes too much time or memory. Make its loops smaller.",
            ) from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if len(text) > _LONGEST_ROW:
            raise RowProblem("template_too_long", limit=_LONGEST_ROW)
        return text

    return limited


def _too_slow(_number: int, _frame: FrameType | None) -> None:
    raise _TooSlow


def _line(error: BaseException) -> int:
    """The template's line that failed; jinja2 writes it into the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 1 for frame in reversed(frames) if frame.filename == "<template>"), 1)


def _unusable(line: int, reason: str) -> BadInput:
    return BadInput(
        "data.bad_template",
        "The template cannot be used, line {line}: {reason}. Mend it and try again.",
        line=line,
        reason=reason.rstrip("."),
    )


if __name__ == "__main__":
    answer(format_rows)
