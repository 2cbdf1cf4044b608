import json

import pytest

from ftkit.data.splits import service as module
from ftkit.data.storage import iterate_rows
from ftkit.errors import BadInput
from ftkit.records import PARTS

ROWS = [{"id": n, "question": f"What is {n}?", "answer": f"It is {n}."} for n in range(50)]
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
    assert (split.dataset, split.parents, split.mapping) == (dataset.id, (dataset.id,), dataset.mapping)
    assert [path.name for path in home.rglob("*") if ".part" in path.name] == []


def test_leaks_are_measured_on_the_files(splits, dataset, monkeypatch):
    real = module.splitting.members

    def leaky(*arguments):
        found = real(*arguments)
        found["test"] = sorted([*found["test"], found["train"][0]])
        return found

    monkeypatch.setattr(module.splitting, "members", leaky)
    monkeypatch.setattr(module.parts, "write", _write_all)
    assert splits.split(dataset.id).leaks == 2


def _write_all(folder, source, members):
    rows = list(iterate_rows(source))
    for part in PARTS:
        module.storage.write_rows(
            folder / f"{part}.parquet", [rows[n] for n in members[part]], *module.storage.columns_of(source)
        )


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
    rows = [{"messages": [{"role": "user", "content": f"{n}"}, TURNS[1], TURNS[0]]} for n in range(10)]
    split = splits.split(service.import_file(write("a.jsonl", rows)).id)
    assert (split.trimmed, split.left_out, sum(split.sizes.values())) == (10, 0, 10)


def test_examples_carry_the_number_of_their_row(splits, dataset):
    split = splits.split(dataset.id)
    examples = splits.examples(split.id, "test", 3)
    assert len(examples) == 3
    for one in examples:
        assert one.prompt == [{"role": "user", "content": ROWS[one.row]["question"]}]
        assert one.reference == ROWS[one.row]["answer"]
    assert splits.rows(split.id, "test", 1, 1) == [ROWS[examples[1].row]]
    with pytest.raises(BadInput):
        splits.rows(split.id, "../train")
