"""Where the kernel counts the processes that it ended for want of memory."""

from pathlib import Path

import pytest

from ftkit.jobs.evidence import Evidence


@pytest.mark.parametrize(
    ("membership", "file"),
    [
        ("0::/user.slice/one.scope", "user.slice/one.scope/memory.events.local"),
        ("0::/user.slice/one.scope", "user.slice/one.scope/memory.events"),
        ("0::/user.slice/one.scope", "memory.events"),  # a container that sees only its own group
        ("5:cpu:/\n4:memory:/docker/9", "memory/docker/9/memory.oom_control"),
        ("4:cpu,memory:/docker/9", "memory/memory.oom_control"),
        ("", "../vmstat"),
    ],
)
def test_each_kind_of_machine_has_its_counter(tmp_path: Path, membership: str, file: str) -> None:
    (tmp_path / "membership").write_text(membership)
    counter = tmp_path / "cgroups" / file
    counter.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cgroups").mkdir(exist_ok=True)
    evidence = Evidence(tmp_path / "cgroups", tmp_path / "membership", tmp_path / "vmstat")
    counter.write_text("under_oom 0\noom_kill 2\n")
    noted = evidence.note()
    assert noted["kills"] == 2
    assert not evidence.proves(noted)
    counter.write_text("under_oom 0\noom_kill 3\n")
    assert evidence.proves(noted)


def test_without_a_counter_nothing_is_proven(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path / "none", tmp_path / "none", tmp_path / "none")
    assert evidence.note() == {}
    assert not evidence.proves({})
    assert not evidence.proves({"kills_file": str(tmp_path / "gone"), "kills": 0})
