import socket
import threading
import time
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.jobs.folder import Request
from ftkit.jobs.messages import receive, send
from ftkit.workers import generate as worker_module
from ftkit.workers import loading
from ftkit.workers.answers.streaming import Pair
from ftkit.workers.generate import Generator, serve
from ftkit.workers.generation import Answer
from ftkit.workers.harness import Worker
from tests.tiny import make_tiny_adapter, make_tiny_model

pytestmark = pytest.mark.training

KEY = b"secret"
SAMPLING = {"temperature": 0.0, "top_p": 1.0, "max_new_tokens": 6, "seed": 1}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)  # a tiny model is slower on several
    home = tmp_path_factory.mktemp("home")
    model = make_tiny_model(home / "model")
    other = make_tiny_model(home / "other", seed=5)
    bare = make_tiny_model(home / "bare")
    (bare / "chat_template.jinja").unlink()
    return {
        "model": model,
        "other": other,
        "bare": bare,
        "for-bare": make_tiny_adapter(bare, home / "for-bare"),
        "one": make_tiny_adapter(model, home / "one", seed=1),
        "two": make_tiny_adapter(model, home / "two", seed=2),
        "for-other": make_tiny_adapter(other, home / "for-other", seed=1),
        "dora": make_tiny_adapter(model, home / "dora", seed=1, use_dora=True),
    }


class Serving:
    """The worker's loop in a thread, as a client sees it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "key").write_bytes(KEY)
        self.worker = Worker(folder)
        self.result: dict[str, Any] = {}
        self.thread = threading.Thread(target=lambda: self.result.update(serve(self.worker)))
        self.thread.start()
        deadline = time.monotonic() + 20
        while "port" not in self.worker.folder.state() and time.monotonic() < deadline:
            time.sleep(0.02)

    def connect(self, key: bytes = KEY) -> Connection:
        return Client(("127.0.0.1", self.worker.folder.state()["port"]), authkey=key)

    def ask(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        with self.connect() as connection:
            send(connection, request)
            replies = []
            while not (reply := receive(connection)).get("end"):
                replies.append(reply)
            return replies


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "generate")
    yield serving
    serving.worker.folder.ask_to_stop()
    serving.thread.join(20)
    assert not serving.thread.is_alive()


def request(folders: dict[str, Path], **changes: Any) -> dict[str, Any]:
    return {
        "model": str(folders["model"]),
        "tuned": str(folders["one"]),
        "messages": [{"role": "user", "content": "my parcel is late"}],
        "sampling": SAMPLING,
        **changes,
    }


def test_answers_grow_token_by_token(serving: Serving, folders: dict[str, Path]) -> None:
    replies = serving.ask(request(folders))
    assert [reply["tuned_tokens"] for reply in replies] == [1, 2, 3, 4, 5, 6, 6]
    assert replies[-1]["tuned"] != replies[-1]["base"]
    assert replies[-1]["tuned_cut"]
    assert serving.ask(request(folders)) == replies


def test_adapters_of_one_model_share_it(serving: Serving, folders: dict[str, Path]) -> None:
    first, second = (serving.ask(request(folders, tuned=str(folders[name])))[-1] for name in ("one", "two"))
    assert first["base"] == second["base"]
    assert first["tuned"] != second["tuned"]
    other = serving.ask(request(folders, model=str(folders["other"]), tuned=str(folders["for-other"])))[-1]
    assert other["base"] != first["base"]
    assert serving.ask(request(folders))[-1] == first


def test_a_whole_tuned_model_answers_after_its_base(serving: Serving, folders: dict[str, Path]) -> None:
    replies = serving.ask(request(folders, tuned=str(folders["other"])))
    counts = [(reply["base_tokens"], reply["tuned_tokens"]) for reply in replies]
    assert counts == [(n, 0) for n in range(1, 7)] + [(6, n) for n in (*range(1, 7), 6)]
    assert replies[-1]["base"] == serving.ask(request(folders))[-1]["base"]
    own = serving.ask(request(folders, model=str(folders["other"]), tuned=str(folders["for-other"])))[-1]
    assert replies[-1]["tuned"] == own["base"]


def test_dora_which_peft_does_not_mix_answers_after_its_base_on_the_same_weights(
    serving: Serving, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    load_model = loading.load_model
    monkeypatch.setattr(
        loading, "load_model", lambda folder, *more: loaded.append(folder) or load_model(folder, *more)
    )
    last = serving.ask(request(folders, tuned=str(folders["dora"])))[-1]
    assert (last["base_tokens"], last["tuned_tokens"]) == (6, 6)
    assert loaded == [folders["model"]]
    assert last["base"] == serving.ask(request(folders))[-1]["base"] != last["tuned"]


def test_mistakes_come_back_as_errors_and_the_worker_goes_on(
    serving: Serving, folders: dict[str, Path]
) -> None:
    (reply,) = serving.ask(request(folders, messages=[{"role": "user", "content": "zq " * 600}]))
    assert reply["error"]["key"] == "ratings.prompt_too_long"
    assert reply["mistake"]
    (reply,) = serving.ask(request(folders, model=str(folders["bare"]), tuned=str(folders["for-bare"])))
    assert "template" in reply["error"]["text"]
    assert reply["mistake"]
    (reply,) = serving.ask(request(folders, tuned="/nowhere"))
    assert reply["error"]["key"] == "jobs.failed"
    assert not reply.get("mistake")
    assert serving.ask(request(folders))[-1]["base_tokens"] == 6


def test_a_stranger_without_the_key_is_turned_away(serving: Serving, folders: dict[str, Path]) -> None:
    with pytest.raises(AuthenticationError):
        serving.connect(key=b"guess")
    assert serving.ask(request(folders))[-1]["base_tokens"] == 6


def test_a_stranger_that_says_nothing_holds_up_nobody(serving: Serving, folders: dict[str, Path]) -> None:
    with socket.create_connection(("127.0.0.1", serving.worker.folder.state()["port"])):
        assert serving.ask(request(folders))[-1]["base_tokens"] == 6


def test_a_client_that_leaves_stops_its_own_answer(serving: Serving, folders: dict[str, Path]) -> None:
    long = request(folders, sampling={**SAMPLING, "max_new_tokens": 450})
    with serving.connect() as connection:
        send(connection, long)
        receive(connection)
    serving.ask(request(folders))
    serving.worker.folder.ask_to_stop()
    serving.thread.join(20)
    assert serving.result == {"answered": 1}


def test_before_a_pause_the_answer_is_finished(serving: Serving, folders: dict[str, Path]) -> None:
    long = request(folders, sampling={**SAMPLING, "max_new_tokens": 40})
    with serving.connect() as connection:
        send(connection, long)
        first = receive(connection)
        serving.worker.folder.ask_to_stop(Request("pause"))
        replies = [first]
        while not (reply := receive(connection)).get("end"):
            replies.append(reply)
    serving.thread.join(20)
    assert replies[-1]["base_tokens"] == 40
    assert serving.result == {"answered": 1}
    assert serving.worker.folder.state()["memory_mb"] > 0


def test_clients_wait_for_their_turn(serving: Serving, folders: dict[str, Path]) -> None:
    found: list[list[dict[str, Any]]] = []
    clients = [threading.Thread(target=lambda: found.append(serving.ask(request(folders)))) for _ in range(3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60)
    assert len(found) == 3
    assert found[0] == found[1] == found[2]


def test_an_idle_worker_ends_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "IDLE_SECONDS", 0.2)
    serving = Serving(tmp_path / "generate")
    serving.thread.join(20)
    assert serving.result == {"answered": 0}
    assert serving.worker.folder.state()["port"] is None


def test_a_new_adapter_in_the_same_folder_is_loaded_anew(folders: dict[str, Path], tmp_path: Path) -> None:
    generator = Generator()
    adapter = make_tiny_adapter(folders["model"], tmp_path / "adapter", seed=1)
    asked = worker_module.Asked.of(request(folders, tuned=str(adapter)))
    before = generator.answer(asked, lambda _: True)
    make_tiny_adapter(folders["model"], adapter, seed=2)
    after = generator.answer(asked, lambda _: True)
    assert after.base == before.base
    assert after.tuned != before.tuned


def test_only_the_adapters_used_last_are_kept(folders: dict[str, Path], tmp_path: Path) -> None:
    generator = Generator()
    adapters = [make_tiny_adapter(folders["model"], tmp_path / f"a{n}", seed=n) for n in range(6)]
    found: list[Pair] = []
    for adapter in [*adapters, adapters[0]]:
        asked = worker_module.Asked.of(request(folders, tuned=str(adapter)))
        found.append(generator.answer(asked, lambda _: True))
    assert found[0] == found[-1]
    assert len({pair.tuned for pair in found}) == 6
    assert len(generator.adapters()) == 4


def test_the_answer_is_cut_where_the_context_ends(folders: dict[str, Path]) -> None:
    messages = [{"role": "user", "content": "\x01" * 495}]
    asked = worker_module.Asked.of(
        request(folders, messages=messages, sampling={**SAMPLING, "max_new_tokens": 400})
    )
    pair = Generator().answer(asked, lambda _: True)
    assert isinstance(pair.tuned, Answer)
    assert pair.tuned.tokens < 20
