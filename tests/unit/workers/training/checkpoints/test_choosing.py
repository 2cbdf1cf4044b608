"""Only what is whole, unchanged and the run's own is gone on from; nothing that may be needed is deleted."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ftkit.errors import Refused
from ftkit.jobs.folder import JobFolder
from ftkit.training.spec import RunSpec
from ftkit.workers.training.checkpoints.choosing import go_back, name_of, newest, rotate, unfinished
from ftkit.workers.training.checkpoints.manifest import NAME, Origin, Reached, seal

FILES = ("adapter_model.safetensors", "optimizer.pt", "rng_state.pth", "trainer_state.json")
SPEC = RunSpec.parse({"model_name_or_path": "tiny"}).model_dump(mode="json")
ORIGIN = Origin("run", SPEC, {"train": "sha256:1", "model": "sha256:2"}, {"torch": "2.13.0"})


class Heard(list[tuple[str, dict[str, Any]]]):
    """Events that were reported."""

    def __call__(self, name: str, **values: Any) -> None:
        self.append((name, values))


def _save(
    folder: Path, step: int, best: int | None = None, validated: bool = True, origin: Origin = ORIGIN
) -> Path:
    fresh = unfinished(folder)
    for name in FILES:
        (fresh / name).write_bytes(f"{name} of step {step}".encode() * 9)
    seal(fresh, origin, Reached(step, validated, best, {"tokens": 10 * step}))
    return fresh.rename(folder / name_of(step, validated))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_is_taken_by_number_not_by_name(tmp_path: Path) -> None:
    heard = Heard()
    assert newest(tmp_path / "none", ORIGIN, heard) is None
    _save(tmp_path, 9)
    path = _save(tmp_path, 10)
    (tmp_path / "checkpoint-x").mkdir()
    found = newest(tmp_path, ORIGIN, heard)
    assert found is not None
    assert (found.path, found.reached, found.exact) == (path, Reached(10, True, None, {"tokens": 100}), True)
    assert heard == []


def test_a_measured_one_counts_before_an_unmeasured_one_of_the_same_step(tmp_path: Path) -> None:
    _save(tmp_path, 9, validated=False)
    found = newest(tmp_path, ORIGIN, Heard())
    assert found is not None
    assert not found.reached.validated
    measured = _save(tmp_path, 9)
    assert getattr(newest(tmp_path, ORIGIN, Heard()), "path", None) == measured


@pytest.mark.parametrize("name", [*FILES, NAME])
@pytest.mark.parametrize("damage", ["flip", "cut", "grow", "gone", "link"])
def test_one_wrong_byte_in_any_file_and_it_is_set_aside_with_a_notice(
    name: str, damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, broken = _save(tmp_path, 4), _save(tmp_path, 8)
    file, heard = broken / name, Heard()
    content = bytearray(file.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "cut":
        file.write_bytes(content[:-1])
    elif damage == "grow":
        file.write_bytes(content + b" ")
    else:
        file.unlink()
        if damage == "link":
            file.symlink_to(whole / name)
    assert getattr(newest(tmp_path, ORIGIN, heard), "path", None) == whole
    assert _names(tmp_path) == ["broken-1-checkpoint-8", "checkpoint-4"]
    ((event, values),) = heard
    assert event == "checkpoint_set_aside"
    assert values["checkpoint"] == "checkpoint-8"
    assert values["kept_as"] == "broken-1-checkpoint-8"
    assert values["reason"].split()[0] in {name, "it"}
    assert "checkpoint-8 is not used" in caplog.text


def test_each_byte_of_a_manifest_counts(tmp_path: Path) -> None:
    path = _save(tmp_path, 8)
    content = (path / NAME).read_bytes()
    for place in range(0, len(content), 97):
        (path / NAME).write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert newest(tmp_path, ORIGIN, Heard()) is None, place
        (tmp_path / "broken-1-checkpoint-8").rename(path)
    (path / NAME).write_bytes(content)
    assert newest(tmp_path, ORIGIN, Heard()) is not None


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{}", b'{"digest": 1}', b"\xff"])
def test_what_is_no_manifest_is_no_checkpoint(content: bytes, tmp_path: Path) -> None:
    (_save(tmp_path, 8) / NAME).write_bytes(content)
    assert newest(tmp_path, ORIGIN, Heard()) is None


def test_one_of_another_run_is_never_loaded(tmp_path: Path) -> None:
    own, heard = _save(tmp_path, 4), Heard()
    _save(tmp_path, 8, origin=ORIGIN._replace(run="other"))
    (_save(tmp_path, 12) / "pytorch_model.bin").write_bytes(b"a pickle that was put there")
    (tmp_path / "checkpoint-99").write_text("a file")
    (_save(tmp_path, 16) / "ref").mkdir()
    assert getattr(newest(tmp_path, ORIGIN, heard), "path", None) == own
    assert [values["reason"] for _, values in heard] == [
        "manifest.json was changed",
        "ref does not belong to it",
        "pytorch_model.bin does not belong to it",
        "it belongs to the run other",
    ]


def test_a_whole_one_whose_best_is_broken_cannot_end_the_run_rightly(tmp_path: Path) -> None:
    oldest, heard = _save(tmp_path, 2), Heard()
    best = _save(tmp_path, 4, best=4)
    _save(tmp_path, 8, best=4)
    assert getattr(newest(tmp_path, ORIGIN, heard), "path", None) == tmp_path / "checkpoint-8"
    (best / FILES[0]).unlink()
    assert getattr(newest(tmp_path, ORIGIN, heard), "path", None) == oldest
    assert [values["checkpoint"] for _, values in heard] == ["checkpoint-8", "checkpoint-4"]
    assert "the best one, checkpoint-4, cannot be used" in heard[0][1]["reason"]


def test_names_of_what_is_set_aside_do_not_collide(tmp_path: Path) -> None:
    for number in (1, 2):
        (_save(tmp_path, 8) / NAME).unlink()
        assert newest(tmp_path, ORIGIN, Heard()) is None
        assert (tmp_path / f"broken-{number}-checkpoint-8").exists()


def test_an_older_one_under_a_newer_name_is_not_taken_for_it(tmp_path: Path) -> None:
    own, heard = _save(tmp_path, 4), Heard()
    _save(tmp_path, 2).rename(tmp_path / "checkpoint-8")
    assert getattr(newest(tmp_path, ORIGIN, heard), "path", None) == own
    assert heard[0][1]["reason"] == "it is checkpoint-2 under another name"


def test_what_a_kill_left_unfinished_is_cleared(tmp_path: Path) -> None:
    unfinished(tmp_path)
    kept = _save(tmp_path, 4)
    newest(tmp_path, ORIGIN, Heard())
    assert _names(tmp_path) == [kept.name]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("learning_rate", 0.1),
        ("seed", 7),
        ("per_device_train_batch_size", 8),
        ("gradient_accumulation_steps", 2),
        ("num_train_epochs", 9.0),
        ("max_steps", 99),
        ("lora_dropout", 0.5),
        ("packing", True),
        ("optim", "sgd"),
        ("lr_scheduler_type", "linear"),
    ],
)
def test_a_changed_option_is_refused_with_both_values(key: str, value: object, tmp_path: Path) -> None:
    _save(tmp_path, 4)
    with pytest.raises(Refused) as caught:
        newest(tmp_path, ORIGIN._replace(spec={**SPEC, key: value}), Heard())
    assert caught.value.key == "training.changed_since_checkpoint"
    assert f"{key}: {SPEC[key]} → {value}" in str(caught.value)
    assert _names(tmp_path) == ["checkpoint-4"]


def test_other_rows_or_another_model_are_refused(tmp_path: Path) -> None:
    _save(tmp_path, 4)
    with pytest.raises(Refused, match="train: sha256:1 → sha256:9; adapter: – → sha256:3"):
        newest(
            tmp_path,
            ORIGIN._replace(data={**ORIGIN.data, "train": "sha256:9", "adapter": "sha256:3"}),
            Heard(),
        )


def test_an_option_that_a_newer_version_brought_changes_nothing(tmp_path: Path) -> None:
    old = {key: value for key, value in SPEC.items() if key != "beta"}
    _save(tmp_path, 4, origin=ORIGIN._replace(spec=old))
    assert newest(tmp_path, ORIGIN, Heard()) is not None
    with pytest.raises(Refused, match=r"beta: 0.1 → 0.2"):
        newest(tmp_path, ORIGIN._replace(spec={**SPEC, "beta": 0.2}), Heard())


def test_with_other_versions_it_goes_on_and_says_that_it_is_not_exact(tmp_path: Path) -> None:
    _save(tmp_path, 4)
    heard = Heard()
    found = newest(tmp_path, ORIGIN._replace(versions={"torch": "2.14.0"}), heard)
    assert found is not None
    assert not found.exact
    assert heard == [("resumed_approximately", {"step": 4, "changes": "torch: 2.13.0 → 2.14.0"})]


@pytest.mark.parametrize(
    ("keep", "best", "left"),
    [
        (1, None, [10]),
        (1, 4, [4, 10]),
        (2, None, [8, 10]),
        (2, 2, [2, 10]),
        (2, 10, [8, 10]),
        (3, 2, [2, 8, 10]),
        (9, None, [2, 4, 6, 8, 10]),
    ],
)
def test_the_best_and_the_last_stay(keep: int, best: int | None, left: list[int], tmp_path: Path) -> None:
    for step in (2, 4, 6, 8, 10):
        _save(tmp_path, step)
    rotate(tmp_path, keep, best)
    assert _names(tmp_path) == sorted(f"checkpoint-{step}" for step in left)


def test_an_unmeasured_one_goes_when_the_run_has_gone_on(tmp_path: Path) -> None:
    _save(tmp_path, 2)
    _save(tmp_path, 4, validated=False)
    rotate(tmp_path, 2, None)
    assert _names(tmp_path) == ["checkpoint-2", "checkpoint-4-unmeasured"]
    _save(tmp_path, 4)
    rotate(tmp_path, 2, None)
    assert _names(tmp_path) == ["checkpoint-2", "checkpoint-4"]


def test_measurements_behind_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)
    assert go_back(folder, None) == {}
    lines = [{"step": n, "loss": 1.0} for n in (1, 2, 3)]
    lines.insert(2, {"step": 2, "eval_loss": 0.5})
    answers = [{"step": n, "answer": "a"} for n in (0, 2, 3)]
    folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 4, "lo')
    folder.samples.write_text("".join(json.dumps(line) + "\n" for line in answers))
    assert go_back(folder, Reached(2, True, None, {"tokens": 20})) == {"tokens": 20}
    assert folder.measurements()[0] == lines[:3]
    assert folder.sampled() == answers[:2]
    assert folder.metrics.read_text().endswith("}\n")
    go_back(folder, Reached(2, False, None, {}))
    assert folder.measurements()[0] == lines[:2], "the validation comes once more"
    assert folder.sampled() == answers[:1]
    assert go_back(folder, None) == {}
    assert folder.metrics.read_text() == folder.samples.read_text() == ""


def test_a_checkpoint_is_not_read_through_a_pipe(tmp_path: Path) -> None:
    path = _save(tmp_path, 4)
    (path / FILES[0]).unlink()
    os.mkfifo(path / FILES[0])
    assert newest(tmp_path, ORIGIN, Heard()) is None
