"""A Hub that breaks off, asks to wait, fails and lies, and what an upload makes of it."""

import hashlib
from pathlib import Path

import pytest
from huggingface_hub.utils import get_session

from ftkit.workers.harness import Stopped
from ftkit.workers.publishing.hub import Parcel, Pushed, Unsent, push
from tests.unit.workers.publishing.conftest import TOKEN
from tests.unit.workers.pulling.hub import FakeHub

# huggingface_hub about its own way to send bytes.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

FILES = {
    "README.md": b"---\nlicense: mit\n---\n",
    "adapter_config.json": b"{}",
    "one.safetensors": b"first" * 20_000,
    "two.safetensors": b"second" * 20_000,
}
REPO = "somebody/mine"


def hashes() -> dict[str, str]:
    return {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return Parcel(folder, "mine", True, "made with ftkit")


def whole(hub: FakeHub, pushed: Pushed) -> bool:
    return hub.pushed == FILES and pushed.files == hashes()


def test_a_folder_arrives_with_equal_hashes(hub: FakeHub, parcel: Parcel) -> None:
    seen: list[tuple[int, int]] = []
    pushed = push(parcel, lambda sent, total: seen.append((sent, total)))
    assert whole(hub, pushed)
    assert (pushed.address, pushed.repo) == (f"{hub.url}/{REPO}", REPO)
    assert set(pushed.changed) == set(FILES)
    total = sum(map(len, FILES.values()))
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)
    assert len(seen) > 5
    assert hub.tokens - {""} == {TOKEN}  # the storage behind the Hub gets none


def test_a_second_upload_sends_nothing(hub: FakeHub, parcel: Parcel) -> None:
    push(parcel)
    arrivals, before = list(hub.arrivals), dict(hub.pushed)
    again = push(parcel)
    assert (again.changed, again.bytes_sent) == ((), 0)
    assert (hub.arrivals, hub.pushed) == (arrivals, before)


@pytest.mark.parametrize(
    "trouble",
    [{"breaks": 2}, {"answers": [(429, {"Retry-After": "1"})]}, {"answers": [(500, {}), (503, {})]}],
)
def test_trouble_that_passes_is_waited_for(hub: FakeHub, parcel: Parcel, trouble: dict) -> None:
    vars(hub).update(trouble)
    assert whole(hub, push(parcel))


def test_what_has_arrived_is_not_sent_again(hub: FakeHub, parcel: Parcel) -> None:
    arrived = sum(len(content) for name, content in FILES.items() if name != "two.safetensors")

    def stop(sent: int, _total: int) -> None:
        if sent == arrived and hub.arrivals:  # the first large file is there, the second comes now
            hub.breaks = 99

    with pytest.raises(Unsent) as raised:
        push(parcel, stop)
    assert raised.value.status == 0
    assert raised.value.reason
    first = hashes()["one.safetensors"]
    assert hub.arrivals == [first]
    assert hub.pushed == {}  # the repository is as it was
    hub.breaks = 0
    pushed = push(parcel)
    assert whole(hub, pushed)
    assert hub.arrivals.count(first) == 1
    assert pushed.bytes_sent == len(FILES["two.safetensors"])


@pytest.mark.parametrize(("status", "wait"), [(429, 0), (500, 0), (429, 3600)])
def test_trouble_that_stays_ends_the_upload(hub: FakeHub, parcel: Parcel, status: int, wait: int) -> None:
    hub.answers = [(status, {"Retry-After": str(wait)} if wait else {})] * 9
    with pytest.raises(Unsent, match=f"HTTP {status}") as raised:
        push(parcel)
    assert raised.value.wait == wait
    assert len(hub.answers) == (
        8 if wait else 6
    )  # it asks three times; not at all where it must wait for an hour
    hub.answers = []
    assert whole(hub, push(parcel))


@pytest.mark.parametrize("name", ["adapter_config.json", "one.safetensors"])
def test_a_file_that_lies_there_otherwise_is_found(hub: FakeHub, parcel: Parcel, name: str) -> None:
    hub.spoiled[name] = FILES[name][::-1]
    with pytest.raises(Unsent, match=name) as raised:
        push(parcel)
    assert raised.value.cause == "differs"


def test_weights_of_an_earlier_kind_go_and_other_files_stay(hub: FakeHub, parcel: Parcel) -> None:
    hub.repositories[REPO] = True
    hub.pushed = {"model.safetensors": b"old", "notes.md": b"kept"}
    push(parcel)
    assert hub.pushed == {**FILES, "notes.md": b"kept"}


def test_a_public_repository_is_left_alone(hub: FakeHub, parcel: Parcel) -> None:
    hub.repositories[REPO] = False
    with pytest.raises(Unsent) as raised:
        push(parcel)
    assert raised.value.cause == "public"
    assert hub.pushed == {}
    assert whole(hub, push(parcel._replace(private=False)))


def test_a_refusal_is_for_good(hub: FakeHub, parcel: Parcel) -> None:
    hub.refusing = 403
    with pytest.raises(Unsent) as raised:
        push(parcel)
    assert raised.value.status == 403


def test_a_stop_ends_it_and_gives_the_connection_back(hub: FakeHub, parcel: Parcel) -> None:
    def stop(sent: int, _total: int) -> None:
        if sent:
            raise Stopped

    with pytest.raises(Stopped):
        push(parcel, stop)
    assert hub.pushed == {}
    assert type(get_session()).__module__.startswith("httpx2")
