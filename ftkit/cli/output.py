"""How a command answers: the one place that decides between JSON and tables, standard output and standard error.

Commands return an ``Answer``; ``command`` registers them with ``--json`` and prints what they return. It knows nothing of
what is answered, and of errors only how they look.
"""

import contextlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

# Without a terminal there is no width to fit into; ids and paths must stay whole.
_FILE_WIDTH = 200
# Text comes from files and models: it must not steer the terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]


class Answer(NamedTuple):
    """What a command has to say: the JSON object, and the same for a reader."""

    value: dict[str, Any]
    shown: Sequence[RenderableType] = ()
    exit_code: int = 0


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Register a function as the command ``name``, with ``--json`` beside its own options."""

    def register(body: Callable[..., Answer]) -> Callable[..., Answer]:
        def run(*, json: bool, **given: Any) -> int:
            with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
                answer = body(**given)
            give(answer, as_json=json)
            return answer.exit_code

        signature = inspect.signature(body)
        extra = inspect.Parameter(
            "json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=JsonOption
        )
        vars(run)["__signature__"] = signature.replace(parameters=[*signature.parameters.values(), extra])
        run.__annotations__ = {**body.__annotations__, "json": JsonOption}
        run.__doc__ = body.__doc__
        app.command(name)(run)
        return body

    return register


def give(answer: Answer, *, as_json: bool) -> None:
    """Print an answer on standard output."""
    if as_json:
        sys.stdout.write(_json(answer.value) + "\n")
        sys.stdout.flush()
        return
    console = _console(sys.stdout.isatty())
    for part in answer.shown:
        console.print(plain(part) if isinstance(part, str) else part, soft_wrap=isinstance(part, str))


def note(text: str) -> None:
    """A remark for the person, on standard error."""
    sys.stderr.write(str(plain(text)) + "\n")


def complain(key: str, text: str, *, as_json: bool, value: Mapping[str, Any] | None = None) -> None:
    """Say what went wrong: on standard error, and with ``as_json`` on standard output too."""
    note(text)
    if as_json:
        give(Answer({**(value or {}), "error": {"key": key, "text": text}}), as_json=True)


def plain(text: object) -> Text:
    """Any text, with nothing in it that a terminal would obey."""
    return Text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text)))


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A table; cells are shown as they are, numbers with four digits."""
    made = Table(title=title, title_justify="left", box=None, header_style="bold", pad_edge=False)
    for header in headers:
        made.add_column(plain(header), overflow="fold")
    for row in rows:
        made.add_row(*(plain(brief(cell)) for cell in row))
    return made


def facts(pairs: Mapping[str, object], title: str | None = None) -> Table:
    """Names and values, one pair a line."""
    made = Table(title=title, title_justify="left", box=None, show_header=False, pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs.items():
        made.add_row(plain(name), plain(brief(value)))
    return made


def brief(value: object) -> str:
    """A value for a reader: four digits, lists with commas, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"  # noqa: PLR2004 - as a reader would write it
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {brief(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(brief(item) for item in value)
    return str(value)


def _json(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # half a surrogate pair in a file, or a terminal that is not UTF-8
        return json.dumps(value, allow_nan=False, indent=1)
    return text


def _console(is_terminal: bool) -> Console:
    return Console(width=None if is_terminal else _FILE_WIDTH, markup=False, emoji=False, highlight=False)
