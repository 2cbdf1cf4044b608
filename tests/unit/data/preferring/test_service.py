from collections.abc import Iterator
from pathlib import Path

import pytest

from ftkit.data import chat
from ftkit.data.preferring.service import Origin, Preferred, PreferringService
from ftkit.data.splits.service import SplitService
from ftkit.data.storage import read_rows
from ftkit.errors import BadInput, Refused
from ftkit.records import Study
from tests.finished_run import NOW, Room, SleepingLauncher, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        room.artefacts.add(
            Study(id="study1", name="S", created_at=NOW, protocol="pairs", sides=("base:m",), options={})
        )
        yield room


def service(room: Room) -> PreferringService:
    splits = SplitService(room.artefacts, room.folders, room.clock, room.new_id)
    return PreferringService(room.artefacts, room.folders, splits, room.clock)


def pairs(count: int, prompts: int | None = None) -> list[Preferred]:
    return [
        Preferred(
            f"i{n}",
            (
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": f"question {n % (prompts or count)}"},
            ),
            f"a good answer {n}",
            f"a bad one, number {n}",
            True,
            "vote",
        )
        for n in range(count)
    ]


def origin(part: str = "validation", key: str = "1") -> Origin:
    return Origin(study="study1", key=key, name="S · dpo", part=part, notes=("noted",), license="MIT")


def test_pairs_become_a_dataset_that_the_trainer_reads(room: Room) -> None:
    dataset, split = service(room).make(pairs(24, 12), origin())
    assert dataset.parents == ("study1",)
    assert (dataset.rows, dataset.license, dataset.notes) == (24, "MIT", ("noted",))
    parts = {
        part: read_rows(room.folders.split(split.id) / f"{part}.parquet")
        for part in ("train", "validation", "test")
    }
    assert not parts["test"]
    assert len(parts["validation"]) >= 2
    assert sum(map(len, parts.values())) == 24
    asked = {part: {row["prompt"][1]["content"] for row in rows} for part, rows in parts.items()}
    assert not asked["train"] & asked["validation"], "the pairs of one prompt stay together"
    row = read_rows(room.folders.dataset(dataset.id) / "rows.parquet")[3]
    prompt, chosen, rejected = chat.preference(row, dataset.mapping)
    assert [turn["role"] for turn in prompt] == ["system", "user"]
    assert (chosen["content"], rejected["content"]) == ("a good answer 3", "a bad one, number 3")
    assert (row["study"], row["item"], row["made_by"], row["from_part"]) == (
        "study1",
        "i3",
        "vote",
        "validation",
    )


def test_marked_answers_become_conversations_with_a_label(room: Room) -> None:
    marked = [one._replace(rejected=None, good=n % 2 == 0) for n, one in enumerate(pairs(20))]
    dataset, _ = service(room).make(marked, origin())
    rows = read_rows(room.folders.dataset(dataset.id) / "rows.parquet")
    assert [chat.label(row, dataset.mapping) for row in rows[:3]] == [True, False, True]
    assert chat.conversation(rows[1], dataset.mapping)[-1]["content"] == "a good answer 1"


def test_the_same_making_gives_the_same_dataset(room: Room) -> None:
    first = service(room).make(pairs(20), origin())
    assert service(room).make(pairs(20), origin()) == first
    other, _ = service(room).make(pairs(20), origin(key="2"))
    assert other.id != first[0].id


@pytest.mark.parametrize("count", [1, 2, 3, 8, 60])
def test_rows_are_held_back_where_some_stand_apart(room: Room, count: int) -> None:
    _, split = service(room).make(pairs(count), origin())
    assert split.sizes["train"] > 0
    assert split.sizes["train"] + split.sizes["validation"] == count
    assert (split.sizes["validation"] > 0) == (count > 1)


def test_test_rows_need_a_word(room: Room) -> None:
    with pytest.raises(Refused, match="20 rows are of the test part"):
        service(room).make(pairs(20), origin("test"))
    dataset, _ = service(room).make(pairs(20), origin("test"), use_test_rows=True)
    assert "Prompts of the test part: 20 rows" in dataset.notes[-1]


def test_nothing_is_no_dataset(room: Room) -> None:
    with pytest.raises(BadInput, match="No rating gives a preference"):
        service(room).make([], origin())
