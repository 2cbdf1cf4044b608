import json
import os
import time

import pytest

from ftkit.data.splits import making
from ftkit.data.splits import service as module
from ftkit.data.storage import iterate_rows
from ftkit.errors import BadInput
from ftkit.records import PARTS
from ftkit.settings import Settings
from ftkit.workspace import Workspace

WORDS = [
    "kettle",
    "ladder",
    "lantern",
    "compass",
    "violin",
    "kitchen",
    "garden",
    "cellar",
    "attic",
    "harbour",
    "bakery",
    "library",
]
ROWS = [
    {
        "id": n,
        "question": f"Where is the {WORDS[n % 12]} of number {n}, near the {WORDS[n * 5 % 7]}?",
        "answer": f"{n} steps behind the {WORDS[(n * 7 + n // 12) % 12]}.",
    }
    for n in range(50)
]
TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


@pytest.fixture
def dataset(service, write):
    return service.import_file(write("sums.jsonl", ROWS))


def test_a_split_has_its_parts_its_manifest_and_no_leaks(service, splits, write, home):
    rows = [
        *ROWS,
        *[{**row, "id": 100 + row["id"]} for row in ROWS[:10]],
        {"id": 7, "question": "", "answer": "x"},
    ]
    dataset = service.import_file(write("a.jsonl", rows))
    split = splits.split(dataset.id, (0.6, 0.2, 0.2), 7)
    folder = home / "splits" / split.id
    manifest = json.loads((folder / "manifest.json").read_text())
    parts = {part: list(iterate_rows(folder / f"{part}.parquet")) for part in PARTS}
    assert split.sizes == {part: len(parts[part]) for part in PARTS}
    assert sum(split.sizes.values()) == 60
    assert all(split.sizes.values())
    assert (split.leaks, split.left_out, split.left_out_reasons) == (0, 1, {"“question” is empty": 1})
    assert sorted(row["id"] for part in parts.values() for row in part) == sorted(
        row["id"] for row in rows[:-1]
    )
    for part in PARTS:
        assert [rows[number] for number in manifest["rows"][part]] == parts[part]
    questions = [{row["question"] for row in part} for part in parts.values()]
    assert not questions[0] & questions[1]
    assert not questions[0] & questions[2]
    assert not questions[1] & questions[2]
    assert manifest["left_out_rows"] == [{"row": 60, "reason": "“question” is empty"}]
    assert (manifest["seed"], manifest["dataset_hash"], manifest["ratios"]) == (
        7,
        dataset.content_hash,
        [0.6, 0.2, 0.2],
    )
    assert manifest["content_hash"] == split.content_hash
    assert {part: len(keys) for part, keys in manifest["keys"].items()} == split.sizes
    assert (split.dataset, split.parents, split.mapping) == (dataset.id, (dataset.id,), dataset.mapping)
    assert [path.name for path in home.rglob("*") if ".part" in path.name] == []


def test_leaks_are_measured_on_the_files(splits, dataset, monkeypatch):
    real = making.parts.write

    def leaky(folder, source, members, test=None):
        real(folder, source, members, test)
        rows = list(iterate_rows(folder / "test.parquet"))
        first = next(iterate_rows(folder / "train.parquet"))
        columns = making.storage.columns_of(source)
        making.storage.write_rows(folder / "test.parquet", [first, *rows[1:]], *columns)

    monkeypatch.setattr(making.parts, "write", leaky)
    split = splits.split(dataset.id)
    assert split.leak_kinds == {"exact": 2, "near": 2, "group": 0}
    assert split.leaks == 4


def test_the_same_split_is_the_same_bytes(splits, dataset, home):
    one, two, other = (splits.split(dataset.id, seed=seed) for seed in (1, 1, 2))
    assert one.content_hash == two.content_hash != other.content_hash
    assert [split.id for split in splits.all(dataset.id)] == sorted([one.id, two.id, other.id])
    assert splits.all("none") == []
    assert splits.get(one.id) == one


def test_a_part_may_be_empty_when_its_share_is_nothing(splits, dataset):
    split = splits.split(dataset.id, (1, 0, 0))
    assert split.sizes == {"train": 50, "validation": 0, "test": 0}
    assert split.name == "sums 100/0/0"
    assert splits.rows(split.id, "test") == []
    assert splits.examples(split.id, "test") == []


def test_too_few_rows_or_none_to_learn_from(service, splits, write, home):
    one = service.import_file(write("a.jsonl", ROWS[:1]))
    with pytest.raises(BadInput) as caught:
        splits.split(one.id)
    assert caught.value.key == "data.too_few_rows"
    assert splits.split(one.id, (1, 0, 0)).sizes["train"] == 1
    numbers = service.import_file(write("b.jsonl", [{"a": 1}, {"a": 2}]))
    assert numbers.mapping == {}
    with pytest.raises(BadInput) as caught:
        splits.split(numbers.id, (1, 0, 0))
    assert caught.value.key == "data.nothing_to_learn"
    assert [path.name for path in home.rglob("*") if ".part" in path.name] == []


def test_turns_after_the_last_answer_are_counted(service, splits, write):
    rows = [
        {"messages": [{"role": "user", "content": row["question"]}, TURNS[1], TURNS[0]]} for row in ROWS[:20]
    ]
    split = splits.split(service.import_file(write("a.jsonl", rows)).id)
    assert (split.trimmed, split.left_out, sum(split.sizes.values())) == (20, 0, 20)


def test_examples_carry_the_number_of_their_row(splits, dataset):
    split = splits.split(dataset.id)
    examples = splits.examples(split.id, "test", 3)
    assert len(examples) >= 2
    for one in examples:
        assert one.prompt == [{"role": "user", "content": ROWS[one.row]["question"]}]
        assert one.reference == ROWS[one.row]["answer"]
    assert splits.rows(split.id, "test", 1, 1) == [ROWS[examples[1].row]]
    with pytest.raises(BadInput):
        splits.rows(split.id, "../train")


def parts_of(home, split):
    return {part: list(iterate_rows(home / "splits" / split.id / f"{part}.parquet")) for part in PARTS}


def test_groups_stay_together_and_rows_without_one_are_named(service, splits, write, home):
    rows = [{**row, "who": f"p{n % 15}" if n % 10 else ""} for n, row in enumerate(ROWS)]
    dataset = service.import_file(write("a.jsonl", rows))
    split = splits.split(dataset.id, (0.6, 0.2, 0.2), 3, group="who")
    people = [{row["who"] for row in part if row["who"]} for part in parts_of(home, split).values()]
    assert not people[0] & people[1]
    assert not people[0] & people[2]
    assert not people[1] & people[2]
    assert (split.group, split.leaks, split.leak_kinds["group"]) == ("who", 0, 0)
    assert "Rows without a value in “who”, each a group of its own: 5." in split.notes
    with pytest.raises(BadInput) as caught:
        splits.split(dataset.id, group="nobody")
    assert caught.value.key == "data.no_such_column"


def test_labels_keep_their_shares(service, splits, write, home):
    rows = [{**row, "label": "odd" if n % 5 else "even"} for n, row in enumerate(ROWS)]
    dataset = service.import_file(write("a.jsonl", rows))
    split = splits.split(dataset.id, (0.6, 0.2, 0.2), 3, stratify="label", near=False)
    found = parts_of(home, split)
    for part, odd in (("validation", 8), ("test", 8)):
        assert abs(sum(row["label"] == "odd" for row in found[part]) - odd) <= 1
    rare = [*rows[:-1], {**rows[-1], "label": "once"}]
    said = splits.split(service.import_file(write("b.jsonl", rare)).id, stratify="label").notes
    assert any(note.startswith("No row with the label “once” in ") for note in said)


def test_near_duplicates_stay_together_unless_they_need_not(service, splits, write, home):
    copies = [{**row, "answer": row["answer"] + " Truly."} for row in ROWS]
    dataset = service.import_file(write("a.jsonl", [*ROWS, *copies]))
    kept = splits.split(dataset.id, (0.5, 0.25, 0.25))
    assert (kept.near, kept.leaks, kept.leak_kinds["near"]) == (True, 0, 0)
    for part in parts_of(home, kept).values():
        assert sum(row["answer"].endswith("Truly.") for row in part) * 2 == len(part)
    apart = splits.split(dataset.id, (0.5, 0.25, 0.25), near=False)
    assert (apart.near, apart.leaks) == (False, 0)
    assert apart.leak_kinds["near"] > 10
    assert f"Rows with a near-duplicate in another part: {apart.leak_kinds['near']}." in apart.notes


def test_rows_from_one_template_are_split_all_the_same_and_it_is_said(service, splits, write):
    rows = [
        {"question": f"Please tell me the price of article number {n} in the shop.", "answer": f"{n} pounds."}
        for n in range(60)
    ]
    dataset = service.import_file(write("a.jsonl", rows))
    split = splits.split(dataset.id)
    assert all(split.sizes.values())
    assert not split.near
    assert any(note.startswith("Most rows are nearly the same") for note in split.notes)
    with pytest.raises(BadInput):
        splits.split(dataset.id, near=True)


def test_a_dataset_of_its_own_is_the_test_and_nothing_like_it_is_trained_on(service, splits, write, home):
    dataset = service.import_file(write("a.jsonl", ROWS))
    theirs = [
        {"prompt": ROWS[3]["question"], "completion": ROWS[3]["answer"]},
        {"prompt": ROWS[9]["question"], "completion": ROWS[9]["answer"] + " Truly."},
        {"prompt": "Who wrote this?", "completion": "Nobody."},
        {"prompt": "", "completion": "x"},
    ]
    test = service.import_file(write("t.jsonl", theirs))
    split = splits.split(dataset.id, (0.8, 0.1, 0.1), 1, test=test.id)
    found = parts_of(home, split)
    assert [row["question"] for row in found["test"]] == [row["prompt"] for row in theirs[:3]]
    assert {row["id"] for part in ("train", "validation") for row in found[part]} == set(range(50)) - {3, 9}
    assert split.left_out_reasons == {
        "the same as a row of the test set": 1,
        "nearly the same as a row of the test set": 1,
    }
    assert (split.leaks, split.parents, split.test_dataset) == (0, (dataset.id, test.id), test.id)
    assert [one.row for one in splits.examples(split.id, "test")] == [0, 1, 2]
    assert "Rows of the test set that cannot be used: 1." in split.notes
    texts = service.import_file(write("u.txt", "one\ntwo\n"))
    with pytest.raises(BadInput) as caught:
        splits.split(dataset.id, test=texts.id)
    assert caught.value.key == "data.other_roles"


def test_unusual_ratios_say_what_they_cost_and_usual_ones_nothing(splits, dataset):
    assert splits.split(dataset.id, (0.7, 0.15, 0.15), 5).notes == ()
    said = " ".join(splits.split(dataset.id, (0.95, 0.05, 0)).notes)
    assert "leaves little to measure with" in said
    assert "by chance alone" in said
    assert "nothing can be said about questions that the model never saw" in said


def test_a_part_that_would_stay_empty_is_refused_with_a_seed_that_fills_it(service, splits, write):
    dataset = service.import_file(write("a.jsonl", ROWS[:4]))
    refused = []
    for seed in range(20):
        try:
            assert all(splits.split(dataset.id, seed=seed).sizes.values())
        except BadInput as error:
            refused.append(error)
    assert refused
    for error in refused:
        assert error.key == "data.part_empty_seed"
        assert all(splits.split(dataset.id, seed=int(error.values["seed"])).sizes.values())


def test_rows_that_stand_together_cannot_fill_every_part(service, splits, write):
    rows = [{**row, "team": "one" if n < 2 else "two"} for n, row in enumerate(ROWS[:8])]
    dataset = service.import_file(write("a.jsonl", rows))
    with pytest.raises(BadInput, match="cannot fill 3 parts"):
        splits.split(dataset.id, group="team")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 10)
    settings = Settings.from_environment({**os.environ, "FTKIT_HOME": str(tmp_path / "other")})
    with Workspace(settings) as workspace:
        yield workspace
        for job in workspace.jobs.unfinished():
            workspace.jobs.stop(job.artefact)
            workspace.jobs.wait(job.artefact, 15)


def test_a_large_dataset_is_split_by_a_job_into_the_same_bytes(
    workspace, dataset, splits, write, monkeypatch
):
    here = splits.split(dataset.id)
    monkeypatch.setattr(module, "make", None)
    same = workspace.data.import_file(write("sums.jsonl", ROWS))
    wanted = module.Choices()
    id_ = workspace.splits.begin(same.id, wanted)
    assert workspace.splits.begin(same.id, wanted) == workspace.splits.under_way(same.id) == id_
    job = workspace.splits.job(id_)
    assert (job.kind, job.lane) == ("data.split", "split")
    seen = []
    there = workspace.splits.wait(id_, lambda job, state: seen.append(state))
    assert seen
    assert there.content_hash == here.content_hash
    known_before = {"id", "created_at", "dataset", "parents"}
    assert there.model_dump(exclude=known_before) == here.model_dump(exclude=known_before)
    assert (workspace.splits.under_way(same.id), workspace.splits.get(id_)) == (None, there)


def test_a_job_that_cannot_split_says_why(workspace, write):
    dataset = workspace.data.import_file(write("a.jsonl", ROWS))
    with pytest.raises(BadInput) as caught:
        workspace.splits.split(dataset.id, group="x")
    assert caught.value.key == "data.no_such_column"


def test_a_long_split_tells_how_far_it_is_and_can_be_cancelled(workspace, write):
    rows = [{**ROWS[n % 50], "question": f"{ROWS[n % 50]['question']} {n} {n * 7}"} for n in range(40_000)]
    dataset = workspace.data.import_file(write("a.jsonl", rows))
    id_ = workspace.splits.begin(dataset.id, module.Choices())
    deadline = time.monotonic() + 60
    while workspace.splits.state(id_).get("phase") != "comparing" and time.monotonic() < deadline:
        workspace.jobs.tick()
        time.sleep(0.05)
    told = workspace.splits.state(id_)
    assert (told["phase"], told["steps"]) == ("comparing", 40_000)
    workspace.splits.cancel(id_)
    with pytest.raises(BadInput) as caught:
        workspace.splits.wait(id_)
    assert caught.value.key == "data.split_stopped"
    assert workspace.splits.all() == []
    assert list((workspace.settings.home / "splits").iterdir()) == []


def test_the_steps_are_told_in_order_to_the_last(dataset, home, tmp_path):
    told = []
    plan = making.Plan(
        source=str(home / "datasets" / dataset.id / "rows.parquet"),
        mapping=dataset.mapping,
        ratios=(0.8, 0.1, 0.1),
        seed=1,
    )
    making.make(tmp_path, plan, lambda *step: told.append(step))
    assert list(dict.fromkeys(phase for phase, _, _ in told)) == list(making.PHASES)
    for phase in ("comparing", "measuring"):
        steps = [(done, every) for name, done, every in told if name == phase]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]
