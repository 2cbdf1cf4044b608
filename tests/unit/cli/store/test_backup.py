"""``ftkit backup``: listing, making and going back, over a real data folder."""

import json
import os
import random
import sqlite3
from pathlib import Path

import pytest

from ftkit.jobs.identity import identify
from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.unit.store.backup.stocked import PAGE


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps({"question": f"What is {n}?", "answer": f"It is {n}."}) for n in range(20)]
    file.write_text("\n".join(lines))
    return file


def datasets(ftkit) -> int:
    return len(ftkit("data", "list", "--json").json["datasets"])


def test_the_first_command_leaves_a_backup_and_the_list_names_it(ftkit, home):
    assert ftkit("backup", "list", "--json").json["backups"] == []
    ftkit("data", "list")
    seen = ftkit("backup", "list", "--json").json
    assert seen["folder"] == str(home / "backups")
    [backup] = seen["backups"]
    assert (backup["problem"], backup["before"]) == ("", "")
    assert (home / "backups" / backup["backup"]).stat().st_size == backup["size"]
    assert "good" in ftkit("backup", "list").out


def test_going_back_to_a_backup_keeps_what_was_there(ftkit, home, rows, caplog):
    ftkit("data", "list")
    [first] = ftkit("backup", "list", "--json").json["backups"]
    assert ftkit("data", "import", rows).code == 0
    assert datasets(ftkit) == 1
    done = ftkit("backup", "restore", first["backup"], "--json")
    assert (done.code, done.json["backup"]) == (0, first["backup"])
    assert {"name": "dataset", "before": 1, "now": 0} in done.json["rows"]
    assert len(done.json["folders"]) == 2  # the upload and the dataset lie there still
    assert (home / done.json["set_aside"]).exists()
    assert "dataset: 1 before, 0 now" in caplog.text
    assert datasets(ftkit) == 0
    (home / done.json["set_aside"]).replace(home / "ftkit.sqlite")
    assert datasets(ftkit) == 1


def test_a_damaged_database_is_mended_by_the_next_command_which_says_so(ftkit, home, rows):
    ftkit("data", "import", rows)
    made = ftkit("backup", "make", "--json").json
    file = home / "ftkit.sqlite"
    content, chance = bytearray(file.read_bytes()), random.Random(5)
    for _ in range(20):
        begin = chance.randrange(len(content) - PAGE)
        content[begin : begin + PAGE] = chance.randbytes(PAGE)
    file.write_bytes(content)
    seen = ftkit("data", "list", "--json")
    assert (seen.code, len(seen.json["datasets"])) == (0, 1)
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(home)})) as workspace:
        assert workspace.restoration is not None
        assert workspace.restoration.backup == made["backup"]
        assert workspace.restoration.settled
        workspace.restoration_read()
        assert workspace.restoration is None


def test_a_restore_is_refused_while_something_uses_the_database_or_runs(ftkit, home):
    ftkit("data", "list")
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(home)})):
        used = ftkit("backup", "restore")
    assert used.code == 2
    assert "Another process of ftkit uses the database" in used.err
    with sqlite3.connect(home / "ftkit.sqlite") as raw:
        me = identify(os.getpid())
        assert me is not None
        raw.execute(
            "INSERT INTO jobs (id, position, kind, lane, artefact, state, nonce, owner, queued_at, started_at, claimed_by) "
            "VALUES ('j', 1, 'train', 'compute', 'r', 'starting', 'n', 'owner', datetime('now'), datetime('now'), ?)",
            (me.as_text(),),  # who is about to start it still lives
        )
    raw.close()
    running = ftkit("backup", "restore")
    assert running.code == 2
    assert "1 jobs run" in running.err


@pytest.mark.parametrize(
    ("name", "said"), [("../ftkit.sqlite", "There is no backup"), ("x", "There is no backup")]
)
def test_an_unknown_backup_is_a_mistake(ftkit, name, said):
    ftkit("data", "list")
    seen = ftkit("backup", "restore", name)
    assert seen.code == 2
    assert said in seen.err


def test_a_database_on_a_server_has_no_backups_of_ours(ftkit, monkeypatch):
    monkeypatch.setenv("FTKIT_DATABASE_URL", "postgresql+psycopg://someone@127.0.0.1:9/ftkit")
    for verb in ("list", "make", "restore"):
        seen = ftkit("backup", verb)
        assert seen.code == 2
        assert "Back it up with the server's own tools" in seen.err
