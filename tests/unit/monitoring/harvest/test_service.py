"""Which requests become candidates, in which order, and which are left out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftkit.data.cleaning.quality import is_refusal
from ftkit.errors import BadInput
from ftkit.monitoring.harvest.diversity import most_different
from ftkit.monitoring.harvest.service import HarvestService
from ftkit.monitoring.harvest.wishes import HarvestWishes
from ftkit.monitoring.traffic.exchange import Feedback
from ftkit.monitoring.traffic.kept import TrafficSettings
from ftkit.monitoring.traffic.service import TrafficService
from tests.finished_run import Room, SleepingLauncher
from tests.monitored import NOON, NearMasker, exchange, failed

SORRY = "I'm sorry, but I can't help with that."


class Field:
    """Traffic with a harvest over it; ``drifted`` is what the last check showed."""

    def __init__(self, room: Room) -> None:
        self.traffic = TrafficService(room.database, room.folders, room.jobs, lambda: NOON, is_refusal)
        self.traffic._masker = NearMasker()  # type: ignore[assignment]
        self.traffic.choose(TrafficSettings(keep_texts=True))
        self.drifted: list[str] = []
        self.harvests = HarvestService(room.database, self.traffic, lambda: NOON, lambda _: self.drifted)

    def record(self, *exchanges: Any) -> None:
        for one in exchanges:
            self.traffic.record(one)
        assert self.traffic.flush(20)

    def say(self, request: int, **said: Any) -> None:
        self.traffic.feedback(f"req-{request}", "k1", Feedback(**said))
        assert self.traffic.flush(20)

    def found(self, **wishes: Any) -> list[tuple[int, tuple[str, ...]]]:
        candidates = self.harvests.candidates(HarvestWishes(**wishes))
        return [(int(one.request.removeprefix("req-")), one.why) for one in candidates]


@pytest.fixture
def field(tmp_path: Path) -> Iterator[Field]:
    room = Room(tmp_path / "home", SleepingLauncher())
    field = Field(room)
    yield field
    field.traffic.close()
    room.database.close()


def test_each_reason_finds_its_requests(field: Field) -> None:
    field.record(
        exchange(1),
        exchange(2),
        exchange(3),
        exchange(4, answer=SORRY),
        failed(5),
        exchange(6, version="v2"),
        exchange(7),
    )
    field.say(1, thumb=-1)
    field.say(2, thumb=-1, correction="On Monday.")
    field.say(3, thumb=1)
    field.say(6, thumb=-1)
    field.drifted = ["req-7", "req-2", "req-gone"]
    assert field.found(feedback=["down"]) == [(2, ("down",)), (6, ("down",)), (1, ("down",))]
    assert field.found(feedback=["up"]) == [(3, ("up",))]
    assert field.found(feedback=["corrected"]) == [(2, ("corrected",))]
    assert field.found(refused=True) == [(4, ("refused",))]
    assert field.found(drift=True) == [(2, ("drift",)), (7, ("drift",))]
    assert field.found(feedback=["down", "corrected"], drift=True, version="v1") == [
        (2, ("corrected", "down", "drift")),
        (7, ("drift",)),
        (1, ("down",)),
    ]
    with pytest.raises(BadInput, match="No reason is chosen"):
        field.found()


def test_the_fifth_that_the_model_was_least_sure_of(field: Field) -> None:
    field.record(*(exchange(n, confidence=(1 + n * 7 % 11) / 12) for n in range(1, 11)), exchange(11))
    assert [number for number, _ in field.found(uncertain=True)] == [8, 5]


def test_the_same_words_are_taken_once_and_nothing_twice(field: Field) -> None:
    field.record(*(exchange(n, "Where is it?") for n in range(1, 4)), exchange(4, "Why so late?"))
    for number in range(1, 5):
        field.say(number, thumb=-1)
    assert field.found(feedback=["down"]) == [(4, ("down",)), (3, ("down",))]
    assert field.harvests.mark(["req-4", "req-3"], "d1") == 2
    assert field.harvests.mark(["req-3", "req-1"], "d2") == 1
    assert field.found(feedback=["down"]) == [(2, ("down",))]
    assert [number for number, _ in field.found(feedback=["down"], skip_harvested=False)] == [4, 3]
    assert {(one.dataset, one.requests) for one in field.harvests.all()} == {("d1", 2), ("d2", 1)}


def test_few_out_of_many_are_those_that_differ(field: Field) -> None:
    asked = [
        "Where is my parcel?",
        "Where is my parcel now?",
        "Where is my parcel today?",
        "Cancel the invoice of May",
        "Şifremi unuttum",
    ]
    field.record(*(exchange(n, text, answer=SORRY) for n, text in enumerate(asked)))
    assert [number for number, _ in field.found(refused=True, limit=3)] == [4, 3, 2]
    assert [number for number, _ in field.found(refused=True, limit=3, diverse=True)] == [4, 3, 2]
    assert most_different(asked, 9) == [0, 1, 2, 3, 4]
    assert set(most_different(asked, 3)) == {0, 3, 4}
    assert len(set(most_different([""] * 3, 2))) == 2


def test_chosen_requests_tell_why_they_are_worth_it(field: Field) -> None:
    field.record(exchange(1), exchange(2), failed(3))
    field.say(1, thumb=-1, correction="Mail me: ayse@example.com")
    found = {one.request: one for one in field.harvests.of(["req-1", "req-2", "req-3", "req-9"])}
    assert {name: one.why for name, one in found.items()} == {"req-1": ("corrected", "down"), "req-2": ()}
    assert (found["req-1"].right, found["req-2"].right) == ("Mail me: [HIDDEN]", "It is on its way.")
