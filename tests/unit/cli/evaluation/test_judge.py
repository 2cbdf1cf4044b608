"""``ftkit judge`` from the start of a judgement to its deletion, over a real HTTP judge."""

import re

import pytest

from ftkit.cli.session import open_workspace
from tests.judge_server import judge_server
from tests.judged import EVALUATION, add_evaluation, judged_row
from tests.unit.cli.test_loop import documented


@pytest.fixture
def evaluation(home) -> str:
    with open_workspace() as workspace:
        add_evaluation(workspace.artefacts, workspace.folders, [judged_row(row) for row in range(10)])
    return EVALUATION


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_three_rows_in_ten_fail_and_are_asked_again(ftkit, evaluation, home, tmp_path, monkeypatch) -> None:
    key = "sk-canary-of-the-command-line"
    monkeypatch.setenv("MY_API_KEY", key)
    rubric = tmp_path / "criteria.txt"
    rubric.write_text("Only the tone counts.")
    ills = {"question 1.": "timeout", "question 4.": "error", "question 7.": "no_json"}
    with judge_server(
        ail=lambda question, _: next((ills[row] for row in ills if row in question), None)
    ) as judge:
        asked = ["judge", evaluation, "--endpoint", judge.url, "--model", "fake", "--key-env", "MY_API_KEY"]
        made = ftkit(*asked, "--rubric", rubric, "--seconds", "1", "--at-once", "6", "--json")
        assert made.code == 0, made.err
        assert set(made.json) == documented("judge start")
        assert (made.json["coverage"], made.json["missing"], made.json["decided"]) == (0.7, 3, 7)
        assert made.json["failures"] == {"timeout": 2, "server_error": 2, "malformed": 2}
        assert "Ask for these again with: ftkit judge retry" in made.err
        assert "Only the tone counts." in judge.asked[0][1]["messages"][0]["content"]
        id_ = made.json["judgement"]
        judge.ail, before = None, len(judge.asked)
        again = ftkit("judge", "retry", id_, "--json")
        assert (again.json["coverage"], again.json["failures"], len(judge.asked) - before) == (1.0, {}, 6)
    shown = ftkit("judge", "show", id_)
    assert re.search(r"Coverage +100%: 10 of 10", shown.out)
    assert "prefers the tuned model" in shown.out
    assert set(ftkit("judge", "show", id_, "--json").json) == documented("judge start") | {"verdicts"}
    assert [one["judgement"] for one in ftkit("judge", "list", "--json").json["judgements"]] == [id_]
    assert ftkit("judge", "retry", id_).code == 2
    assert [path for path in home.rglob("*") if path.is_file() and key.encode() in path.read_bytes()] == []
    assert ftkit("judge", "delete", id_, "--json").json == {"judgement": id_, "deleted": True}
    assert ftkit("judge", "show", id_).code == 2


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "Give --endpoint"),
        (["--endpoint", "http://127.0.0.1:9/v1"], "Give --endpoint"),
        (["--local", "a", "--endpoint", "http://127.0.0.1:9/v1"], "Give --endpoint"),
        (["--endpoint", "file:///etc/passwd", "--model", "m"], "does not begin with http://"),
        (["--endpoint", "http://169.254.169.254/v1", "--model", "m"], "never asked"),
        (
            ["--endpoint", "http://127.0.0.1:9/v1", "--model", "m", "--key-env", "GONE_API_KEY"],
            "GONE_API_KEY",
        ),
        (["--endpoint", "http://127.0.0.1:9/v1", "--model", "m", "--rubric", "/gone.txt"], "cannot be read"),
        (["--local", "absent"], "absent"),
    ],
)
def test_what_cannot_be_asked_is_refused(ftkit, evaluation, more, said) -> None:
    seen = ftkit("judge", evaluation, *more, "--json")
    assert seen.code == 2
    assert said in seen.json["error"]["text"]
    assert ftkit("judge", "list", "--json").json == {"judgements": []}
