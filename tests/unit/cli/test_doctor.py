import re
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

from ftkit.cli import doctor
from ftkit.settings import Settings
from ftkit.training.machine import look


def settings(home: Path, **environment: str) -> Settings:
    return Settings.from_environment({"FTKIT_HOME": str(home), "HF_HUB_OFFLINE": "1", **environment})


def states(checks) -> dict[str, str]:
    return {check.check: check.state for check in checks}


X86 = "processor : 0\nmodel name\t: EPYC 9\nflags\t\t: fpu avx2 avx512_bf16 amx_bf16\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\n"
OLD = "model name\t: Old\nflags\t\t: fpu avx2\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (X86, "EPYC 9, {} cores, bfloat16 units (avx512_bf16, amx_bf16)"),
        (ARM, "bfloat16 units (bf16)"),
        (OLD, "Old, {} cores, no bfloat16 units"),
    ],
)
def test_the_processor_says_whether_it_knows_bfloat16(tmp_path, text, said):
    (tmp_path / "cpuinfo").write_text(text)
    check = next(doctor.machine(tmp_path / "cpuinfo"))
    assert check.state == "ok"
    assert said.format(look().cores) in check.text


def test_a_system_without_cpuinfo_is_no_failure(tmp_path):
    assert [check.check for check in doctor.machine(tmp_path / "none")] == ["processor", "memory", "gpu"]


@pytest.mark.parametrize(("free", "state"), [(1.0, "bad"), (3.0, "warn"), (8.0, "ok")])
def test_memory(free, state):
    check = doctor.memory(free)
    assert check.state == state
    assert bool(check.fix) == (state != "ok")


@pytest.mark.parametrize(
    ("kind", "state"), [("ext4", "ok"), ("nfs", "warn"), ("fuse.sshfs", "warn"), ("tmpfs", "warn")]
)
def test_storage_that_a_database_should_not_lie_on_is_named(tmp_path, kind, state):
    (tmp_path / "mounts").write_text(f"x / {kind} rw 0 0\n")
    checks = list(doctor.storage(tmp_path / "not" / "yet" / "there", tmp_path / "mounts"))
    assert states(checks)["storage"] == state


def test_libraries_are_compared_with_their_pins():
    right = ("rich", version("rich") + "+local")
    assert states(doctor.libraries([right]))["libraries"] == "ok"
    (other,) = list(doctor.libraries([right, ("typer", "0.0.1")]))[1:]
    assert other.state == "warn"
    assert "tested with 0.0.1" in other.text
    (missing,) = list(doctor.libraries([right, ("no-such-library-here", "1")]))[1:]
    assert missing.state == "bad"
    assert "no-such-library-here" in missing.text


def test_the_pins_are_those_of_the_checkout():
    pins = dict(doctor.pins())
    assert {"torch", "gradio", "SQLAlchemy", "typer"} <= set(pins)


def damage(file):
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)


def test_a_damaged_database_is_bad_and_left_alone(tmp_path):
    home = tmp_path / "home"
    checks = {check.check: check for check in doctor.workspace(settings(home))}
    assert checks["database"].state == "ok"
    assert "journal mode wal, any number of processes" in checks["database"].text
    assert checks["backups"].state == "ok"
    file = home / "ftkit.sqlite"
    damage(file)
    damaged = file.read_bytes()
    (check,) = doctor.workspace(settings(home))
    assert check.state == "bad"
    assert re.search(r"the backup of \d{4}-\d\d-\d\d \d\d:\d\d UTC takes its place by itself", check.fix)
    for backup in (home / "backups").iterdir():
        backup.unlink()
    (check,) = doctor.workspace(settings(home))
    assert check.fix.startswith("There is no good backup.")
    assert file.read_bytes() == damaged


def test_a_database_on_a_server_is_backed_up_by_its_server(tmp_path):
    url = "postgresql+psycopg://someone:secret@somewhere/ftkit"
    database, backups = doctor.database(settings(tmp_path, FTKIT_DATABASE_URL=url), "0001")
    assert database.text == "opens, schema 0001, on a server of its own"
    assert backups.text == "not made by ftkit: back the server up with its own tools"


def test_a_data_folder_that_cannot_be_made_is_bad(tmp_path):
    (tmp_path / "file").write_text("")
    (check,) = doctor.workspace(settings(tmp_path / "file" / "home"))
    assert (check.check, check.state) == ("database", "bad")


def test_switches_that_open_the_dashboard_are_bad(tmp_path):
    checks = {check.check: check for check in doctor.safety(settings(tmp_path, GRADIO_SHARE="1"))}
    assert checks["environment"].state == "bad"
    assert checks["environment"].fix == "unset GRADIO_SHARE"
    assert states(doctor.safety(settings(tmp_path)))["environment"] == "ok"


def test_a_data_folder_among_temporary_files_is_worth_a_warning(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert states(doctor.safety(settings(tmp_path / "home")))["temporary files"] == "warn"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    assert states(doctor.safety(settings(tmp_path / "home")))["temporary files"] == "ok"


def test_a_source_that_does_not_answer_is_only_a_warning(tmp_path):
    check = doctor.network(settings(tmp_path), "packages", "http://127.0.0.1:9/")
    assert check.state == "warn"
    assert "127.0.0.1:9" in check.text
    assert doctor.network(settings(tmp_path), "hub", "http://127.0.0.1:9/").text.startswith("not asked")


def test_the_report_names_every_check_and_the_exit_code_follows(ftkit, home, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    seen = ftkit("doctor", "--json")
    checks = {check["check"]: check for check in seen.json["checks"]}
    assert {"processor", "memory", "gpu", "disk", "storage", "python", "libraries", "database"} <= set(checks)
    assert {"bundled model", "hub", "packages", "temporary files", "environment"} <= set(checks)
    assert checks["bundled model"]["fix"] == "ftkit models pull smollm2-135m-instruct"
    assert all(set(check) == {"check", "state", "text", "fix"} for check in checks.values())
    assert seen.json["usable"] == all(check["state"] != "bad" for check in checks.values())
    assert seen.code == (0 if seen.json["usable"] else 1)
    monkeypatch.setenv("GRADIO_SHARE", "1")
    bad = ftkit("doctor")
    assert bad.code == 1
    assert "unset GRADIO_SHARE" in bad.out
