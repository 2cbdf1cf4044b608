"""What a command needs around its service call: the workspace, and the progress of a job that it waits for.

Takes nothing but the environment, gives a ``Workspace``; takes job heartbeats, draws bars on standard error. Leaving it
with Ctrl-C never ends the job.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from ftkit.cli.output import note, plain
from ftkit.errors import BadInput, FtkitError, WorkerFault

if TYPE_CHECKING:
    from ftkit.records import Job
    from ftkit.settings import Settings
    from ftkit.workspace import Workspace

T = TypeVar("T")
OnLook = Callable[["Job", dict[str, Any]], None]

_MINUTE = 60
_SHORT = 5.0  # seconds
_LINES_PER_STAGE = 10
_SETTLED = 0.02


class LeftRunning(Exception):  # noqa: N818 - not an error: the person looked away
    """The person stopped watching; the job goes on."""

    def __init__(self, text: str, value: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.value = dict(value)


def read_settings() -> "Settings":
    """The settings.

    Raises:
        BadInput: a variable of the environment has a value that cannot be used.
    """
    # Pydantic takes a tenth of a second that --help must not pay.
    from pydantic import ValidationError  # noqa: PLC0415

    from ftkit.settings import Settings  # noqa: PLC0415

    try:
        return Settings.from_environment()
    except ValidationError as error:
        fields = [(Settings.model_fields[str(e["loc"][0])], e["msg"]) for e in error.errors()]
        # A setting's description begins with the name of its variable.
        problems = "; ".join(
            f"{(field.description or '').partition(':')[0]}: {said}" for field, said in fields
        )
        raise BadInput(
            "cli.bad_environment",
            "The environment cannot be used ({problems}). Correct it.",
            problems=problems,
        ) from error


@contextmanager
def open_workspace(settings: "Settings | None" = None) -> "Iterator[Workspace]":
    """The workspace over FTKIT_HOME; its database is backed up every hour while it is open, and at the end if that is due."""
    from ftkit.workspace import Workspace  # noqa: PLC0415 - the database costs half a second that --help must not pay

    with Workspace(settings or read_settings()) as workspace, backed_up(workspace.back_up_if_due):
        yield workspace


@contextmanager
def backed_up(
    back_up_if_due: Callable[[], object], first: float = _SHORT, then: float = _MINUTE
) -> Iterator[None]:
    """Call ``back_up_if_due`` every minute in a thread of its own while the block lasts, and once at its end.

    A backup that fails is said once and changes nothing else.

    Args:
        back_up_if_due: makes a backup, or finds that none is due.
        first: seconds until the first call, so that a short command has only the one at its end.
        then: seconds between two calls.
    """
    ended = threading.Event()
    said: list[str] = []

    def attempt() -> None:
        try:
            back_up_if_due()
        except (FtkitError, OSError) as error:
            if str(error) not in said:
                said.append(str(error))
                note(f"No backup of the database was made: {error}")

    def keep_attempting() -> None:
        patience = first
        while not ended.wait(patience):
            attempt()
            patience = then

    thread = threading.Thread(target=keep_attempting, name="backups", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        attempt()


def follow(title: str, wait: Callable[[OnLook], T], come_back: str, value: Mapping[str, Any]) -> T:
    """Wait for a job and draw its progress.

    Args:
        title: what is being done, e.g. ``Training``.
        wait: waits, and calls what it is given at each look.
        come_back: how to watch again after Ctrl-C.
        value: what is known so far, for the JSON answer of an interrupted command.

    Raises:
        LeftRunning: Ctrl-C.
    """
    meter = _Bars(title) if sys.stderr.isatty() else _Lines(title)
    try:
        with meter:
            return wait(meter.look)
    except KeyboardInterrupt as interrupt:
        raise LeftRunning(f"{title} goes on in the background. {come_back}", value) from interrupt


def check_done(what: str, job: "Job", log: Path) -> None:
    """Nothing, if the job reached its end.

    Args:
        what: what the job was making, e.g. ``evaluation``.
        job: as it ended.
        log: what its worker printed.

    Raises:
        FtkitError: the worker's own error.
        WorkerFault: the job was stopped.
    """
    if job.state == "done":
        return
    note(f"The log of the {what}: {log}")
    if job.error:
        raise FtkitError.from_dict(job.error)
    raise WorkerFault("cli.not_done", "The {what} is {state}. Start it again.", what=what, state=job.state)


def pairs(option: str, texts: list[str]) -> dict[str, str]:
    """``["a=1", "b=2"]`` as a mapping.

    Raises:
        BadInput: a text has no equals sign, or a name comes twice.
    """
    made: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name:
            raise BadInput(
                "cli.not_a_pair",
                "{option} {given} must be written NAME=VALUE.",
                option=option,
                given=repr(text),
            )
        if name in made:
            raise BadInput(
                "cli.twice", "{option} {name} is given twice. Give it once.", option=option, name=name
            )
        made[name] = value.strip()
    return made


def write_page(html: str, out: Path) -> Path:
    """Write a page as a whole or not at all, and say where.

    Raises:
        BadInput: the file cannot be written.
    """
    return write_file([html.encode()], out)


def write_file(pieces: Iterable[bytes], out: Path) -> Path:
    """Write a file as a whole or not at all, and say where.

    Raises:
        BadInput: it cannot be written.
    """
    path = out.expanduser().absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.part")
        with unfinished.open("wb") as stream:
            stream.writelines(pieces)
        unfinished.replace(path)
    except OSError as error:
        raise BadInput(
            "cli.cannot_write",
            "{path} cannot be written ({reason}). Choose another file.",
            path=path,
            reason=error.strerror,
        ) from error
    return path


def short_time(seconds: float) -> str:
    """``45 s``, ``3 min 5 s``."""
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < _MINUTE else f"{whole // _MINUTE} min {whole % _MINUTE} s"


class _Meter:
    """One job's heartbeats as (stage, step, steps, seconds left)."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._stage = ""
        self._since = 0.0
        self._first_step = 0

    def __enter__(self) -> "_Meter":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def look(self, job: "Job", state: dict[str, Any]) -> None:
        """Draw one heartbeat."""
        stage = str(state.get("phase", "starting"))
        if job.state == "queued":
            stage = "waiting for its turn"
        elif job.state == "stopping":
            stage = "stopping"
        step, steps = int(state.get("step") or 0), int(state.get("steps") or 0)
        if stage != self._stage:
            self._stage, self._since, self._first_step = stage, time.monotonic(), step
        left = state.get("seconds_left")
        if left is None:
            left = self._guess(step, steps)
        self.draw(stage, step, steps, left)

    def _guess(self, step: int, steps: int) -> float | None:
        done = step - self._first_step
        if not steps or done <= 0 or done / steps < _SETTLED:
            return None
        return (time.monotonic() - self._since) / done * (steps - step)

    def draw(self, stage: str, step: int, steps: int, left: float | None) -> None:
        """Show it."""
        raise NotImplementedError


class _Lines(_Meter):
    """Lines for a log file: each new stage, then every tenth of it."""

    _said: tuple[str, int] | None = None

    def draw(self, stage: str, step: int, steps: int, left: float | None) -> None:
        tenth = step * _LINES_PER_STAGE // steps if steps else 0
        if self._said == (stage, tenth):
            return
        self._said = (stage, tenth)
        count = f" {step}/{steps}" if steps else ""
        rest = f", {short_time(left)} left" if left is not None and step < steps else ""
        note(f"{self.title}: {stage}{count}{rest}")


class _Bars(_Meter):
    """A bar on a terminal."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True, markup=False, highlight=False),
        )
        self._task = self._progress.add_task(title, total=None, note="")

    def __enter__(self) -> "_Meter":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def draw(self, stage: str, step: int, steps: int, left: float | None) -> None:
        count = f"{step}/{steps}" if steps else ""
        rest = f"{short_time(left)} left" if left is not None and step < steps else ""
        self._progress.update(
            self._task,
            description=str(plain(f"{self.title}: {stage}")),
            total=steps or None,
            completed=step,
            note=" · ".join(filter(None, (count, rest))),
        )
