"""What the model behind a version learned from."""

import pytest

from ftkit.loop.trained import Records, trained_on
from ftkit.records import Export, Run, Split
from tests.finished_run import MAPPING, NOW, RUN, SPLIT, SleepingLauncher, add_run, open_room


@pytest.fixture
def records(tmp_path):
    with open_room(tmp_path, SleepingLauncher()) as room:
        add_run(room)
        export = Export(
            id="e1", name="x", created_at=NOW, parents=(RUN,), run=RUN, target="merged", options={}
        )
        room.artefacts.add(export)
        yield Records(
            run=lambda id_: room.artefacts.get(Run, id_),
            export=lambda id_: room.artefacts.get(Export, id_),
            split=lambda id_: room.artefacts.get(Split, id_),
            split_folder=room.folders.split,
        )


@pytest.mark.parametrize("target", [f"run:{RUN}", f"run:{RUN}@0.5", f"checkpoint:{RUN}/12", "export:e1"])
def test_a_tuned_model_learned_from_the_train_part_of_its_run(records, target):
    found = trained_on(target, records)
    assert (found.run, found.mapping) == (RUN, MAPPING)
    assert found.file.endswith(f"{SPLIT}/train.parquet")


@pytest.mark.parametrize("target", [None, "", "base:tiny", "run:gone", "export:gone", "http://elsewhere/v1"])
def test_what_was_not_trained_here_has_no_rows(records, target):
    assert trained_on(target, records) is None


def test_a_split_without_its_file_has_no_rows(records):
    (records.split_folder(SPLIT) / "train.parquet").unlink()
    assert trained_on(f"run:{RUN}", records) is None
