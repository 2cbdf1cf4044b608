"""The command ``ftkit``: its commands, and what happens when one of them fails.

Takes arguments, gives an exit code: 0 done, 2 the person's mistake, 1 ours, 130 left with Ctrl-C. The services do the work.
"""

import contextlib
import sys
import traceback
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from ftkit import __version__
from ftkit.cli import data, models, runs
from ftkit.cli.data_health import check, clean, history
from ftkit.cli.doctor import doctor
from ftkit.cli.evaluate import evaluate, generate, report
from ftkit.cli.evaluation import benchmark, errors, judge
from ftkit.cli.output import Answer, JsonOption, command, complain, give
from ftkit.cli.quickstart import quickstart
from ftkit.cli.ratings import group as ratings
from ftkit.cli.serving import keys, serve, versions
from ftkit.cli.session import LeftRunning, open_workspace, read_settings
from ftkit.cli.store import backup
from ftkit.cli.training import sweep
from ftkit.errors import Fault, FtkitError

app = typer.Typer(
    name="ftkit",
    help="""From a file of examples to a fine-tuned language model you can trust.

    Every command takes --json: one JSON object on standard output, progress on standard error. Exit code 0: done; 2: a
    mistake to correct; 1: a fault, with the place of its log; 130: left with Ctrl-C. An error in JSON has a `key`, which
    stays the same, and a `text`. FTKIT_HOME is the data folder.""",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ftkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command("app")
def dashboard(
    host: Annotated[str | None, typer.Option(help="Address to listen on; FTKIT_HOST if left out.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; FTKIT_PORT if left out, 0 for any free one.")
    ] = None,
    i_know: Annotated[
        bool, typer.Option("--i-know", help="Start in spite of Gradio variables that open it to others.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Start the dashboard and print its link; the same as python app.py.

    JSON: `url`, `home`.
    """
    given = {"host": host, "port": port}
    settings = read_settings().model_copy(update={k: v for k, v in given.items() if v is not None})
    with open_workspace(settings) as workspace:
        from ftkit.server.app import serve  # noqa: PLC0415 - Gradio takes seconds that no other command may pay

        workspace.prepare_first_start()

        def announce(link: str) -> None:
            shown = f"\nftkit is ready. Open this link:\n\n    {link}\n"
            give(Answer({"url": link, "home": str(settings.home)}, [shown]), as_json=json)

        serve(workspace, announce, i_know)


command(app, "quickstart")(quickstart)
command(app, "doctor")(doctor)
command(data.app, "check")(check)
command(data.app, "clean")(clean)
command(data.app, "history")(history)
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")
command(app, "train")(runs.train)
app.add_typer(runs.app, name="runs")
app.add_typer(sweep.app, name="sweep")
command(app, "evaluate")(evaluate)
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(errors.app, name="errors")
app.add_typer(judge.app, name="judge")
command(app, "generate")(generate)
command(app, "report")(report)
app.add_typer(ratings.app, name="ratings")
app.command("serve")(serve.serve)
app.add_typer(versions.app, name="serving")
app.add_typer(keys.app, name="keys")
app.add_typer(backup.app, name="backup")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        code = app(given, prog_name="ftkit", standalone_mode=False)
    except LeftRunning as left:
        complain("cli.left_running", str(left), as_json=as_json, value=left.value)
        return _INTERRUPTED
    except FtkitError as error:
        return _failed(error, as_json)
    except TyperException as error:
        complain("cli.usage", error.format_message(), as_json=as_json)
        return error.exit_code
    except typer.Abort:
        code = _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the border: nobody above this could handle it
        return _unexpected(error, as_json)
    if code == _INTERRUPTED:
        complain("cli.interrupted", "Interrupted.", as_json=as_json)
    return code if isinstance(code, int) else 0


_INTERRUPTED = 130


def _failed(error: FtkitError, as_json: bool) -> int:
    text = str(error)
    if isinstance(error, Fault):  # a worker's error has its own log, which was named already
        text = f"{text} {_where(_write_log(error))}"
    complain(error.key, text, as_json=as_json)
    return error.exit_code


def _unexpected(error: Exception, as_json: bool) -> int:
    number = uuid.uuid4().hex[:8]
    text = f"Something went wrong in ftkit itself ({type(error).__name__}, error {number})."
    complain("cli.unexpected", f"{text} {_where(_write_log(error, number))}", as_json=as_json)
    return 1


def _where(log: Path | None) -> str:
    return f"Details: {log}" if log else "The log could not be written."


def _write_log(error: Exception, number: str = "") -> Path | None:
    """Append the traceback to the log of the command line."""
    with contextlib.suppress(OSError, FtkitError):
        log = read_settings().home / "logs" / "cli.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as stream:
            stream.write(f"{datetime.now(UTC).isoformat()} {number} ftkit {__version__}\n")
            stream.writelines(traceback.format_exception(error))
        return log
    return None
