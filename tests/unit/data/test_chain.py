"""From planted faults over the check and the cleaning to a check that finds none: by the services, with nothing lost."""

import os
from collections import Counter

import pytest

from ftkit.data import storage
from ftkit.data.health.report import HealthReport
from ftkit.data.health.service import CheckOptions
from ftkit.settings import Settings
from ftkit.store.files import read_json
from ftkit.workspace import Workspace
from tests.planted import plant, recall_and_precision, sample_rows

COLUMNS = ("question", "answer")
LEAKED = 20
KINDS = {
    "exact_copy": "exact_copy",
    "near_copy": "near_copy",
    **{kind: f"personal.{kind}" for kind in ("email", "phone", "card")},
}


@pytest.fixture
def workspace(tmp_path):
    given = {**os.environ, "FTKIT_HOME": str(tmp_path / "home")}
    with Workspace(Settings.from_environment(given)) as workspace:
        yield workspace


def checked(workspace, dataset: str, split: str = "") -> HealthReport:
    view = workspace.health.wait(workspace.health.start(dataset, CheckOptions(split=split)).id)
    assert view.report is not None, view.job.error
    return view.report


def found(report: HealthReport) -> dict[str, set[int]]:
    return {one.kind: set(one.rows) for one in report.findings}


def good(found_rows: set[int], planted: set[int], known: set[int]) -> bool:
    recall, precision = recall_and_precision(found_rows, planted, known)
    return recall >= 0.95 and precision >= 0.9


def test_what_was_planted_is_found_and_cleaned_away_and_every_row_accounted_for(workspace, write):
    base = sample_rows(300)
    planted = plant(base, COLUMNS)
    known = found(checked(workspace, workspace.data.import_file(write("base.jsonl", base)).id))
    parent = workspace.data.import_file(write("planted.jsonl", planted.rows))
    seen = found(checked(workspace, parent.id))
    for kind, name in KINDS.items():
        assert good(seen[name], planted.places[kind], known.get(name, set())), kind

    steps = [*workspace.cleaning.preset("privacy").steps, *workspace.cleaning.preset("strict").steps]
    view = workspace.cleaning.wait(workspace.cleaning.start(parent.id, steps).dataset)
    assert view.job.state == "done", view.job.error
    made = workspace.data.get(view.dataset)
    assert not set(KINDS.values()) & found(checked(workspace, made.id)).keys()

    audit = workspace.cleaning.audit(made.id, 0, parent.rows + 1)
    assert [one.row for one in audit] == list(range(parent.rows))
    stay = [one for one in audit if one.outcome != "dropped"]
    assert [one.new_row for one in stay] == list(range(made.rows))
    before = workspace.data.rows(parent.id, 0, parent.rows)
    after = workspace.data.rows(made.id, 0, made.rows)
    for one in audit:
        if one.outcome == "dropped":
            assert one.dropped_by
            assert one.reason
            assert one.new_row is None
        else:
            assert (after[one.new_row] == before[one.row]) == (one.outcome == "kept")
            assert bool(one.changed_by) == (one.outcome == "changed")
    counts = Counter(one.outcome for one in audit)
    assert counts["dropped"] == sum(view.summary.dropped.values()) == parent.rows - view.summary.kept
    assert counts["changed"] == view.summary.changed
    copies = planted.places["exact_copy"] | planted.places["near_copy"]
    gone = {one.row for one in audit if one.outcome == "dropped"}
    assert len(copies & gone) / len(copies) >= 0.95
    masked = {one.row for one in audit if "mask_personal_data" in one.changed_by}
    personal = set().union(*(planted.places[kind] for kind in ("email", "phone", "card")))
    assert len(masked & personal) / len(personal) >= 0.95


def test_rows_of_the_test_part_in_training_are_found_by_the_check_of_that_split(workspace, write):
    dataset = workspace.data.import_file(write("base.jsonl", sample_rows(300)))
    split = workspace.splits.split(dataset.id, ratios=(0.7, 0.15, 0.15))
    assert not {"leak_exact", "leak_near"} & found(checked(workspace, dataset.id, split.id)).keys()
    leaked = workspace.splits.rows(split.id, "test", 0, LEAKED)
    train = workspace.folders.split(split.id) / "train.parquet"
    rows = [*storage.iterate_rows(train), *leaked]
    train.unlink()
    storage.write_rows(train, rows, COLUMNS)
    report = checked(workspace, dataset.id, split.id)
    assert good(found(report)["leak_exact"], set(range(LEAKED)), set())
    assert report.leaks.exact == LEAKED


def test_rows_of_an_own_test_set_are_kept_out_of_training_and_named(workspace, write):
    base = sample_rows(300)
    held = workspace.data.import_file(write("test.jsonl", base[270:]))
    dataset = workspace.data.import_file(write("train.jsonl", [*base[:270], *base[270 : 270 + LEAKED]]))
    split = workspace.splits.split(dataset.id, test=held.id)
    manifest = read_json(workspace.folders.split(split.id) / "manifest.json")
    out = {one["row"] for one in manifest["left_out_rows"] if "test" in one["reason"]}
    assert good(out, set(range(270, 270 + LEAKED)), set())
    assert split.leaks == 0
    assert sum(split.sizes.values()) + split.left_out == dataset.rows + held.rows
    assert not {"leak_exact", "leak_near"} & found(checked(workspace, dataset.id, split.id)).keys()
