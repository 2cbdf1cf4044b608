"""``ftkit generate``: one prompt for base and tuned model, or a file of prompts for one model."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer
from rich.console import Console
from rich.text import Text

from ftkit.cli.output import Answer, facts, note, table
from ftkit.cli.session import open_workspace, short_time
from ftkit.errors import BadInput, WorkerFault

if TYPE_CHECKING:
    from ftkit.workspace import Workspace

_UPSTREAM = "upstream"
_SHOWN = 20
_SAID_SECONDS = 5.0


def generate(  # noqa: PLR0913 - a command's options
    target: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Id of the run. With --file also of an export or a base model, or run:RUN@0.5, checkpoint:RUN/STEP, or "
            "'upstream:http://HOST:PORT/v1|MODEL' for another server.",
        ),
    ],
    prompt: Annotated[str | None, typer.Option(help="What to ask.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help='Many prompts: a line each, {"prompt"} or {"messages"}, perhaps with "id".'
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where answers to --file go; beside it if left out."),
    ] = None,
    system: Annotated[str | None, typer.Option(help="System message before it.")] = None,
    engine: Annotated[
        str, typer.Option(help="What answers --file: resident, llamacpp (GGUF exports) or upstream.")
    ] = "resident",
    max_new_tokens: Annotated[int, typer.Option(min=1, max=4096, help="Longest answer, in tokens.")] = 256,
    *,
    temperature: Annotated[
        float, typer.Option(min=0, max=5, help="0 takes the likeliest token each time; higher varies more.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same answers.")] = 42,
) -> Answer:
    """Ask base and tuned model the same, and show both answers; or answer a file of prompts with one model.

    A file of prompts goes on where it was when the same command is given again. Its JSON has target, answers (the file), rows,
    answered, skipped (answered before) and failed, each with line, id and reason.

    JSON: `run`, `prompt`, `system`, `base`, `tuned`, `base_tokens`, `tuned_tokens`, `base_cut`, `tuned_cut`, `seconds`, `sampling`.
    """
    sampling = {"max_new_tokens": max_new_tokens, "temperature": temperature, "seed": seed}
    if (prompt is None) == (file is None):
        raise BadInput("cli.prompt_or_file", "Give either --prompt or --file.")
    if prompt is not None:
        return _both(target, prompt, system, sampling)
    assert file is not None  # noqa: S101 - one of both is given
    settings = {"max_tokens": max_new_tokens, "temperature": temperature, "seed": seed}
    with open_workspace() as workspace:
        return _file(workspace, target, (file, out), (engine, system or ""), settings)


def _both(run: str, prompt: str, system: str | None, sampling: dict[str, Any]) -> Answer:
    from ftkit.ratings.sampling import Sampling  # noqa: PLC0415 - their imports are not needed for --help
    from ftkit.ratings.sides.names import Side  # noqa: PLC0415

    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": prompt})
    with open_workspace() as workspace, _Spinner() as spinner:
        model = workspace.training.get(run).run.model
        sides = [Side(kind="base", id=model), Side(kind="run", id=run)]
        last = None
        for last in workspace.comparisons.compare(sides, [messages] * 2, Sampling.parse(sampling)):
            spinner.turn(max(answer.tokens for answer in last.answers))
    if last is None:
        raise WorkerFault("cli.no_answer", "The model gave no answer. Ask again.")
    base, tuned = last.answers
    value = {
        "run": run,
        "prompt": prompt,
        "system": system,
        "base": base.text,
        "tuned": tuned.text,
        "base_tokens": base.tokens,
        "tuned_tokens": tuned.tokens,
        "base_cut": base.cut,
        "tuned_cut": tuned.cut,
        "seconds": last.seconds,
        "sampling": sampling,
    }
    shown: list[Any] = [
        Text("Base model", style="bold"),
        base.text,
        "",
        Text("Tuned model", style="bold"),
        tuned.text,
    ]
    return Answer(value, shown)


def _file(
    workspace: "Workspace",
    target: str,
    files: tuple[Path, Path | None],
    how: tuple[str, str],
    settings: dict[str, Any],
) -> Answer:
    from ftkit.serving.batch.answering import answer_all  # noqa: PLC0415 - as above
    from ftkit.serving.batch.lines import Answers, read_prompts  # noqa: PLC0415

    file, engine, system = files[0], *how
    name = workspace.sources.target(target)
    source = workspace.sources.resolve(name)
    if source.url:
        engine = _UPSTREAM
    chosen = next((one for known, one in workspace.engines.items() if known == engine), None)
    if chosen is None:
        names = ", ".join(workspace.engines)
        raise BadInput(
            "cli.no_engine",
            "There is no engine {engine}. Choose one of: {names}.",
            engine=engine,
            names=names,
        )
    wanted, failed = read_prompts(_lines(file), system, settings, f"{engine} {name}")
    out = files[1] or file.with_name(f"{file.stem}.answers.jsonl")
    answers = Answers(out.expanduser().absolute())
    try:
        with _Count() as count:
            done = answer_all(chosen, source, wanted, answers, count.look)
    finally:
        answers.close()
    failed = sorted([*failed, *done.failed])
    value = {
        "target": target,
        "answers": str(out),
        "rows": len(wanted) + len(failed) - len(done.failed),
        "answered": done.answered,
        "skipped": done.skipped,
        "failed": [one._asdict() for one in failed],
    }
    shown: list[Any] = [facts({**value, "failed": len(failed)})]
    if failed:
        shown.append(table(("line", "id", "reason"), failed[:_SHOWN], "Not answered"))
    return Answer(value, shown)


def _lines(file: Path) -> list[str]:
    try:
        return file.expanduser().read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "cli.no_prompts_file",
            "{file} cannot be read as a text file ({reason}). Give a file in UTF-8 with a JSON object a line.",
            file=file,
            reason=getattr(error, "strerror", None) or type(error).__name__,
        ) from error


class _Spinner:
    """Shows on a terminal that an answer is being written."""

    def __init__(self) -> None:
        self._status = Console(stderr=True).status("Waking the model")

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def turn(self, tokens: int) -> None:
        """Say how far the answer is."""
        self._status.update(f"Answering: {tokens} tokens")


class _Count(_Spinner):
    """Shows how many rows are over and what is left; in a log file every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._begun: tuple[float, int] | None = None
        self._said = 0.0

    def look(self, over: int, rows: int) -> None:
        """So many of so many are over."""
        now = time.monotonic()
        self._begun = self._begun or (now, over)
        passed = over - self._begun[1]
        left = (now - self._begun[0]) / passed * (rows - over) if passed else None
        rest = f", {short_time(left)} left" if left and over < rows else ""
        self._status.update(f"Answering: {over}/{rows}{rest}")
        if not sys.stderr.isatty() and (now - self._said >= _SAID_SECONDS or over == rows):
            self._said = now
            note(f"Answering: {over}/{rows}{rest}")
