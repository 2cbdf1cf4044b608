"""The order of the queue, its limits, starts that come at once, and the memory that one job leaves to another."""

import threading
from datetime import UTC, datetime

import pytest

from ftkit.errors import Refused
from ftkit.jobs.resident import Resident
from ftkit.jobs.service import Conditions, Wish
from ftkit.records import Run
from ftkit.store.artefacts import Artefacts
from ftkit.store.files import write_json
from tests.jobs.conftest import Yard
from tests.jobs.test_resident import words
from tests.jobs.test_service import running, started, until


@pytest.fixture
def busy(yard: Yard) -> Yard:
    """A yard whose lane is taken."""
    yard.submit("counting", "first", steps=1000)
    return yard


def order(yard: Yard) -> list[str]:
    return [job.artefact for job in yard.jobs.queue()]


def test_a_waiting_job_can_be_moved(busy: Yard) -> None:
    for name in "abcd":
        busy.submit("counting", name, steps=1)
    for name, where, expected in (
        ("d", "first", "dabc"),
        ("d", "down", "adbc"),
        ("c", "up", "adcb"),
        ("a", "last", "dcba"),
        ("a", "down", "dcba"),
    ):
        assert [job.artefact for job in busy.jobs.reorder(name, where)] == list(expected)
    assert busy.events("d") == ["queued", "moved", "moved"]
    busy.jobs.stop("first", now=True)
    ended = {name: busy.jobs.wait(name, 30).started_at for name in "abcd"}
    assert sorted(ended, key=ended.get) == list("dcba")


def test_the_order_outlives_a_restart_and_a_newer_job_of_the_artefact_counts(busy: Yard) -> None:
    busy.submit("counting", "a", steps=1)
    busy.jobs.stop("a")
    busy.submit("counting", "b", steps=1)
    again = busy.submit("counting", "a", steps=1)
    busy.jobs.reorder("a", "first")
    other = busy.another()
    assert [job.artefact for job in other.queue()] == ["a", "b"]
    assert other.of("a").id == again.id


def test_a_higher_priority_starts_first_and_can_be_passed_by_hand(busy: Yard) -> None:
    busy.submit("counting", "trial", Wish(priority=-1), steps=1)
    busy.submit("counting", "run", steps=1)
    busy.submit("counting", "urgent", Wish(priority=1), steps=1)
    assert order(busy) == ["urgent", "run", "trial"]
    busy.jobs.reorder("trial", "first")
    assert order(busy) == ["trial", "urgent", "run"]


def test_who_does_not_wait_cannot_be_moved(busy: Yard) -> None:
    running(busy, "first")
    with pytest.raises(Refused, match="running"):
        busy.jobs.reorder("first", "up")


def test_guests_have_limits_and_the_owner_has_none(busy: Yard) -> None:
    for name in "ab":
        busy.submit("counting", name, owner="ada", steps=1)
    with pytest.raises(Refused, match="2 of yours wait already"):
        busy.submit("counting", "c", owner="ada", steps=1)
    assert busy.submit("counting", "a", owner="ada", steps=1).artefact == "a", "asking again for the same"
    busy.submit("counting", "d", owner="bob", steps=1)
    for name in "efgh":
        busy.submit("counting", name, steps=1)
    assert order(busy) == list("abdefgh")


def test_a_job_paused_in_the_queue_never_starts(busy: Yard) -> None:
    busy.submit("counting", "a", steps=1)
    assert busy.jobs.pause("a").state == "paused"
    assert not started(busy, "a")


def _run(name: str) -> Run:
    return Run(
        id=name, name=name, created_at=datetime.now(UTC), recipe="r", split="s", model="m", spec={}
    )  # fmt: skip


def test_twenty_starts_at_once_make_one_worker_and_a_queue(yard: Yard) -> None:
    """Four people, five clicks each: one job a person, one worker at a time; those that may not wait are told."""
    yards = [yard.jobs, *(yard.another() for _ in range(3))]
    refused: list[Refused] = []
    for person in range(4):
        write_json(yard.folders.work(f"run{person}") / "inputs.json", {"steps": 1000})
    barrier = threading.Barrier(20)

    def click(person: int) -> None:
        barrier.wait()
        name = f"run{person}"
        try:
            yards[person].submit("counting", name, owner="guest", record=_run(name))
        except Refused as error:
            refused.append(error)

    threads = [threading.Thread(target=click, args=(n % 4,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = sorted(job.state for job in yard.jobs.unfinished())
    assert states[0] == "queued"
    assert states.count("queued") == len(states) - 1 <= 2
    records = Artefacts(yard._databases[0]).all(Run)
    assert sorted(run.id for run in records) == sorted(job.artefact for job in yard.jobs.unfinished())
    assert all(error.key == "jobs.queue_full" for error in refused)
    assert bool(refused) == (len(records) < 4)
    first = next(job.artefact for job in yard.jobs.unfinished() if job.state != "queued")
    running(yard, first)
    assert len(started(yard, first)) == 1


def test_a_second_click_after_the_end_starts_nothing(yard: Yard) -> None:
    write_json(yard.folders.work("a") / "inputs.json", {"steps": 1})
    job = yard.jobs.submit("counting", "a", record=_run("a"))
    yard.jobs.wait("a", 20)
    assert yard.jobs.submit("counting", "a", record=_run("a")).id == job.id
    assert len(started(yard, "a")) == 1


@pytest.fixture
def tight(tmp_path):
    """A machine with 800 MB: the resident worker takes 500 of them while it is up."""
    made = Yard(tmp_path, Conditions(free_mb=lambda: 800 - made.jobs.reclaimable_mb()))
    yield made
    made.close()


def up(yard: Yard) -> bool:
    yard.jobs.tick()
    return any(job.kind == "echo" for job in yard.jobs.unfinished())


def test_the_resident_worker_makes_room_and_comes_back(tight: Yard) -> None:
    resident = Resident(tight.jobs, tight.folders, "echo")
    assert words(resident, "one") == ["one"]
    tight.submit("counting", "small", Wish(needs_mb=200), steps=1)
    assert tight.jobs.wait("small", 20).state == "done"
    assert up(tight), "there was room for both"
    words(resident, "still there")
    tight.submit("counting", "large", Wish(needs_mb=700), steps=30)
    assert tight.jobs.of("large").state == "queued"
    running(tight, "large")
    assert not up(tight)
    with pytest.raises(Refused, match="made room for large"):
        words(resident, "two")
    assert tight.jobs.wait("large", 30).state == "done"
    assert words(resident, "three") == ["three"]


def test_the_answer_that_is_being_given_is_finished_first(tight: Yard) -> None:
    resident = Resident(tight.jobs, tight.folders, "echo")
    words(resident, "warm")
    answer = resident.ask({"text": "word " * 60})
    next(answer)
    tight.submit("counting", "large", Wish(needs_mb=700), steps=1)
    assert len(list(answer)) == 59
    assert tight.jobs.wait("large", 30).state == "done"


def test_what_nobody_estimated_waits_for_no_room(tight: Yard) -> None:
    resident = Resident(tight.jobs, tight.folders, "echo")
    words(resident, "one")
    tight.submit("counting", "a", steps=1)
    assert tight.jobs.wait("a", 20).state == "done"
    until(lambda: not up(tight), 20)
