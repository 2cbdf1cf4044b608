from pathlib import Path

from ftkit.training.watching.checkpoints import MANIFEST, newest_step


def test_a_run_goes_on_from_its_newest_finished_checkpoint(tmp_path: Path) -> None:
    assert newest_step(tmp_path / "checkpoints") is None
    for name in (
        "checkpoint-9",
        "checkpoint-40-unmeasured",
        "broken-1-checkpoint-90",
        ".tmp-ab",
        "checkpoint-x",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / MANIFEST).touch()
    (tmp_path / "checkpoint-80").mkdir()
    assert newest_step(tmp_path) == 40
