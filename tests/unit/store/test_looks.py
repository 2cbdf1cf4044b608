from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from ftkit.store.engine import Database
from ftkit.store.looks import Look, Looks

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def look(evaluation: str, rows: str = "sha256:a", split: str = "s1") -> Look:
    return Look(evaluation, split, "test", rows, "run1", NOW)


def test_a_look_counts_once_and_by_its_rows(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ftkit.sqlite'}")
    looks = Looks(database)
    assert [looks.note(look("e1")), looks.note(look("e1"))] == [1, 1]
    assert looks.note(look("e2", split="s2")) == 2, "the same rows in another split"
    assert looks.note(look("e3", rows="sha256:b")) == 1
    assert looks.note(look("e1")) == 2
    database.close()


def test_many_who_see_a_result_at_once_count_it_once(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ftkit.sqlite'}")
    looks = Looks(database)
    with ThreadPoolExecutor(8) as readers:
        assert set(readers.map(lambda n: looks.note(look(f"e{n % 2}")), range(24))) <= {1, 2}
    assert looks.note(look("e0")) == 2
    database.close()
