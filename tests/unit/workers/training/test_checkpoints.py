import json
from pathlib import Path

import pytest

from ftkit.jobs.folder import JobFolder
from ftkit.workers.training.checkpoints import go_back, newest, step_of

FILES = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth")


def _save(folder: Path, step: int) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    for name in FILES:
        (path / name).touch()
    (path / "trainer_state.json").write_text(json.dumps({"global_step": step}))
    return path


def test_the_newest_is_taken_by_number_not_by_name(tmp_path: Path) -> None:
    assert newest(tmp_path / "none") is None
    _save(tmp_path, 9)
    found = _save(tmp_path, 10)
    (tmp_path / "checkpoint-x").mkdir()
    assert newest(tmp_path) == found
    assert step_of(found) == 10


@pytest.mark.parametrize("damage", [*FILES, "trainer_state.json", "torn", "other step"])
def test_a_half_written_one_is_set_aside(tmp_path: Path, damage: str) -> None:
    whole, broken = _save(tmp_path, 4), _save(tmp_path, 8)
    if damage == "torn":
        (broken / "trainer_state.json").write_text('{"global_step": 8, "epo')
    elif damage == "other step":
        (broken / "trainer_state.json").write_text('{"global_step": 4}')
    else:
        (broken / damage).unlink()
    assert newest(tmp_path) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken-1-checkpoint-8", "checkpoint-4"]
    (_save(tmp_path, 8) / "optimizer.pt").unlink()
    assert newest(tmp_path) == whole
    assert (tmp_path / "broken-2-checkpoint-8").exists()


def test_measurements_behind_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    assert go_back(folder, 0) == {}
    lines = [{"step": n, "loss": 1.0, "tokens": 10 * n} for n in (1, 2, 3)]
    lines.insert(2, {"step": 2, "eval_loss": 0.5})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    folder.metrics.write_text(text + '{"step": 4, "lo')
    assert go_back(folder, 2) == {"step": 2, "loss": 1.0, "tokens": 20}
    assert folder.measurements()[0] == lines[:3]
    assert folder.metrics.read_text().endswith("}\n")
    assert go_back(folder, 0) == {}
    assert folder.metrics.read_text() == ""
