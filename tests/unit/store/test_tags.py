from datetime import timedelta

import pytest

from ftkit.records import Evaluation
from ftkit.store.artefacts import Artefacts
from ftkit.store.engine import Database
from ftkit.store.tags import TagTable
from tests.finished_run import NOW


@pytest.fixture
def tags(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'ftkit.sqlite'}")
    artefacts = Artefacts(database)
    for id_ in ("e1", "e2"):
        artefacts.add(Evaluation(id=id_, name=id_, created_at=NOW, run="r", split="s", part="test"))
    table = TagTable(database)
    table.artefacts = artefacts
    yield table
    database.close()


def give(
    tags: TagTable, rows: list[int], tag: str, evaluation: str = "e1", minute: int = 0, most: int = 3
) -> list[int]:
    return tags.add(evaluation, rows, tag, "owner", NOW + timedelta(minutes=minute), most)


def test_tags_come_back_by_row_in_the_order_in_which_they_were_given(tags):
    assert give(tags, [3, 1, 3], "late", minute=1) == []
    give(tags, [3], "early")
    give(tags, [3], "other", evaluation="e2")
    assert tags.of("e1") == {1: ("late",), 3: ("early", "late")}
    assert tags.of("none") == {}


def test_the_same_tag_twice_is_one_and_the_first_who_gave_it_stays(tags):
    give(tags, [1], "x")
    give(tags, [1, 2], "x", minute=5)
    give(tags, [1], "y", minute=3)
    assert tags.of("e1") == {1: ("x", "y"), 2: ("x",)}


def test_a_row_with_too_many_tags_keeps_all_rows_from_the_new_one(tags):
    for tag in ("a", "b", "c"):
        give(tags, [1], tag)
    assert give(tags, [1, 2], "d") == [1]
    assert tags.of("e1") == {1: ("a", "b", "c")}
    assert give(tags, [1, 2], "a") == []


def test_a_tag_is_taken_back_alone(tags):
    give(tags, [1, 2], "x")
    tags.remove("e1", 1, "x")
    tags.remove("e1", 7, "x")
    assert tags.of("e1") == {2: ("x",)}


def test_they_go_with_their_evaluation(tags):
    give(tags, [1], "x")
    give(tags, [1], "x", evaluation="e2")
    tags.artefacts.delete(tags.artefacts.get(Evaluation, "e1"))
    assert tags.of("e1") == {}
    assert tags.of("e2") == {1: ("x",)}
