import io
import json
import sys
from typing import Annotated

import pytest
import typer

from ftkit.cli.output import Answer, brief, command, complain, facts, give, plain, table


def test_a_reader_sees_tables_and_a_script_one_object(capsys):
    answer = Answer({"rows": 3}, [facts({"rows": 3})])
    give(answer, as_json=False)
    assert capsys.readouterr().out.split() == ["rows", "3"]
    give(answer, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"rows": 3}


def test_text_of_a_file_cannot_steer_the_terminal(capsys):
    give(
        Answer({}, ["\x1b]0;owned\x07title", table(["\x1b[2J"], [["a\u202eb\x9b31m\ud800"]])]), as_json=False
    )
    shown = capsys.readouterr().out
    assert not set("\x1b\x07\u202e\x9b") & set(shown)
    assert "owned" in shown


def test_text_of_a_file_is_not_taken_for_markup(capsys):
    give(Answer({}, ["[bold]x[/bold] :smile:", table(["[red]h"], [["[/nothing]"]])]), as_json=False)
    shown = capsys.readouterr().out
    for text in ("[bold]x[/bold] :smile:", "[red]h", "[/nothing]"):
        assert text in shown


def test_a_long_path_stays_in_one_piece(capsys):
    path = "/data/" + "x" * 300 + ".html"
    give(Answer({}, [f"The report is {path}"]), as_json=False)
    assert path in capsys.readouterr().out


def test_json_survives_text_that_cannot_be_encoded(monkeypatch):
    for text, encoding in (("\ud800", "utf-8"), ("çay", "ascii")):
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
        monkeypatch.setattr(sys, "stdout", stream)
        give(Answer({"text": text}), as_json=True)
        stream.seek(0)
        assert json.loads(stream.read()) == {"text": text}


def test_json_never_holds_what_is_not_json():
    with pytest.raises(ValueError, match="JSON"):
        give(Answer({"loss": float("nan")}), as_json=True)


def test_whatever_a_command_prints_leaves_standard_output_clean(capsys):
    app = typer.Typer()
    app.callback()(lambda: None)

    def noisy(name: Annotated[str, typer.Option()] = "x") -> Answer:
        """Say hello."""
        print("a library talks")
        return Answer({"name": name}, exit_code=3)

    assert command(app, "noisy")(noisy) is noisy
    assert app(["noisy", "--name", "y", "--json"], standalone_mode=False) == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"name": "y"}
    assert captured.err == "a library talks\n"


def test_an_error_is_said_on_standard_error_and_given_as_json(capsys):
    complain("data.empty", "The file is empty.", as_json=True, value={"run": "r"})
    captured = capsys.readouterr()
    assert captured.err == "The file is empty.\n"
    assert json.loads(captured.out) == {
        "run": "r",
        "error": {"key": "data.empty", "text": "The file is empty."},
    }
    complain("data.empty", "The file is empty.", as_json=False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "yes"),
        (0.000123456, "0.0001235"),
        (12345.6, "12,346"),
        (7, "7"),
        (["a", 1.5], "a, 1.5"),
        ({"user": "text"}, "user = text"),
    ],
)
def test_values_are_written_for_a_reader(value, shown):
    assert brief(value) == shown


def test_newlines_and_tabs_stay():
    assert str(plain("a\n\tb")) == "a\n\tb"
