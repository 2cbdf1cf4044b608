import socket
import threading
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.jobs.folder import Request
from ftkit.jobs.messages import receive, send
from ftkit.workers import generate as worker_module
from ftkit.workers import loading
from ftkit.workers.answers import models
from ftkit.workers.answers.streaming import Said
from ftkit.workers.generate import Generator
from tests.generator import Serving
from tests.tiny import make_tiny_adapter, make_tiny_model, make_tiny_t5

pytestmark = pytest.mark.training

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


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    serving = Serving(tmp_path / "generate")
    yield serving
    serving.stop()


QUESTION = [{"role": "user", "content": "my parcel is late"}]


def side(model: Path, tuned: Path | None = None, strength: float = 1.0) -> dict[str, Any]:
    return {
        "name": f"{tuned}@{strength}",
        "model": str(model),
        "tuned": None if tuned is None else str(tuned),
        "strength": strength,
    }


def request(folders: dict[str, Path], **changes: Any) -> dict[str, Any]:
    """Base model and adapter, or the sides in ``changes``."""
    model = changes.pop("model", folders["model"])
    tuned = changes.pop("tuned", folders["one"])
    sides = changes.pop("sides", None) or [side(model), side(model, tuned)]
    messages = changes.pop("messages", QUESTION)
    return {"sides": sides, "conversations": [messages] * len(sides), "sampling": SAMPLING, **changes}


def texts(replies: list[dict[str, Any]]) -> list[str]:
    return [answer["text"] for answer in replies[-1]["answers"]]


def tokens(reply: dict[str, Any]) -> list[int]:
    return [answer["tokens"] for answer in reply["answers"]]


def test_answers_grow_token_by_token(serving: Serving, folders: dict[str, Path]) -> None:
    replies = serving.ask(request(folders))
    assert [tokens(reply)[1] for reply in replies] == [1, 2, 3, 4, 5, 6, 6]
    base, tuned = replies[-1]["answers"]
    assert tuned["text"] != base["text"]
    assert tuned["cut"]
    assert tuned["done"]
    assert tuned["seconds"] > replies[0]["answers"][1]["seconds"] > 0
    assert texts(serving.ask(request(folders))) == texts(replies)


def test_four_sides_answer_as_each_of_them_alone(
    serving: Serving, folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "answer_dtype", lambda: torch.float32)
    checkpoint = make_tiny_adapter(folders["model"], tmp_path / "checkpoints" / "checkpoint-8", seed=9)
    model = folders["model"]
    sides = [side(model), side(model, folders["one"]), side(model, folders["two"]), side(model, checkpoint)]
    earlier = [*QUESTION, {"role": "assistant", "content": "which one?"}, *QUESTION]
    conversations = [QUESTION, earlier, QUESTION, [*earlier, *earlier]]
    together = texts(serving.ask(request(folders, sides=sides, conversations=conversations)))
    alone = [
        texts(serving.ask(request(folders, sides=[one], conversations=[messages])))[0]
        for one, messages in zip(sides, conversations, strict=True)
    ]
    assert together == alone
    assert len(set(together)) == 4


def test_strength_goes_from_the_base_model_to_the_adapter_and_beyond(
    serving: Serving, folders: dict[str, Path]
) -> None:
    model, one = folders["model"], folders["one"]
    base, none, whole, more = texts(
        serving.ask(request(folders, sides=[side(model), *(side(model, one, share) for share in (0, 1, 2))]))
    )
    assert none == base
    assert whole == texts(serving.ask(request(folders)))[1] != base
    assert more not in {base, whole}


def test_adapters_of_one_model_share_it(serving: Serving, folders: dict[str, Path]) -> None:
    first, second = (texts(serving.ask(request(folders, tuned=folders[name]))) for name in ("one", "two"))
    assert first[0] == second[0]
    assert first[1] != second[1]
    other = texts(serving.ask(request(folders, model=folders["other"], tuned=folders["for-other"])))
    assert other[0] != first[0]
    assert texts(serving.ask(request(folders))) == first


def test_other_weights_answer_in_turn(serving: Serving, folders: dict[str, Path]) -> None:
    replies = serving.ask(request(folders, tuned=folders["other"]))
    counts = [tokens(reply) for reply in replies]
    assert counts == [[n, 0] for n in range(1, 7)] + [[6, n] for n in (*range(1, 7), 6)]
    base, tuned = texts(replies)
    assert base == texts(serving.ask(request(folders)))[0]
    own = serving.ask(request(folders, model=folders["other"], tuned=folders["for-other"]))
    assert tuned == texts(own)[0]


def test_dora_which_peft_does_not_mix_answers_in_turn_on_the_same_weights(
    serving: Serving, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    load_model = models.load_model
    monkeypatch.setattr(
        models, "load_model", lambda folder, *more: loaded.append(folder) or load_model(folder, *more)
    )
    model = folders["model"]
    sides = [side(model, folders["dora"]), side(model), side(model, folders["one"])]
    replies = serving.ask(request(folders, sides=sides))
    assert tokens(replies[5]) == [6, 0, 0]
    assert tokens(replies[-1]) == [6, 6, 6]
    assert loaded == [model]
    assert texts(replies)[1:] == texts(serving.ask(request(folders)))
    assert len(set(texts(replies))) == 3


def test_an_encoder_decoder_model_answers_with_its_adapter(serving: Serving, tmp_path: Path) -> None:
    model = make_tiny_t5(tmp_path / "t5")
    adapter = make_tiny_adapter(model, tmp_path / "adapter")
    longer = [{"role": "user", "content": "my parcel is late and the kettle will not boil"}]
    sides = [side(model), side(model, adapter)]
    asked = {"sides": sides, "conversations": [QUESTION, longer], "sampling": SAMPLING}
    together = texts(serving.ask(asked))
    alone = [
        texts(serving.ask({"sides": [one], "conversations": [messages], "sampling": SAMPLING}))[0]
        for one, messages in zip(sides, [QUESTION, longer], strict=True)
    ]
    assert together == alone


def test_mistakes_come_back_as_errors_and_the_worker_goes_on(
    serving: Serving, folders: dict[str, Path]
) -> None:
    (reply,) = serving.ask(request(folders, messages=[{"role": "user", "content": "zq " * 600}]))
    assert reply["error"]["key"] == "ratings.prompt_too_long"
    assert reply["mistake"]
    (reply,) = serving.ask(request(folders, model=folders["bare"], tuned=folders["for-bare"]))
    assert "template" in reply["error"]["text"]
    assert reply["mistake"]
    *_, reply = serving.ask(request(folders, tuned=Path("/nowhere/at/all")))
    assert reply["error"]["key"] == "models.no_safetensors"
    (reply,) = serving.ask(request(folders, sampling={"nonsense": 1}))
    assert reply["error"]["key"] == "jobs.failed"
    assert not reply.get("mistake")
    assert tokens(serving.ask(request(folders))[-1]) == [6, 6]


def test_a_stranger_without_the_key_is_turned_away(serving: Serving, folders: dict[str, Path]) -> None:
    with pytest.raises(AuthenticationError):
        serving.connect(key=b"guess")
    assert tokens(serving.ask(request(folders))[-1]) == [6, 6]


def test_a_stranger_that_says_nothing_holds_up_nobody(serving: Serving, folders: dict[str, Path]) -> None:
    with socket.create_connection(("127.0.0.1", serving.worker.folder.state()["port"])):
        assert tokens(serving.ask(request(folders))[-1]) == [6, 6]


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
    assert tokens(replies[-1]) == [40, 40]
    assert serving.result == {"answered": 1}
    assert serving.worker.folder.state()["memory_mb"] > 0


def test_clients_wait_for_their_turn(serving: Serving, folders: dict[str, Path]) -> None:
    found: list[list[str]] = []
    clients = [
        threading.Thread(target=lambda: found.append(texts(serving.ask(request(folders))))) for _ in range(3)
    ]
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


def answer(generator: Generator, asked: dict[str, Any]) -> list[Said]:
    return generator.answer(worker_module.Asked.of(asked), lambda _: True)


def test_a_new_adapter_in_the_same_folder_is_loaded_anew(folders: dict[str, Path], tmp_path: Path) -> None:
    generator = Generator()
    adapter = make_tiny_adapter(folders["model"], tmp_path / "adapter", seed=1)
    before = answer(generator, request(folders, tuned=adapter))
    make_tiny_adapter(folders["model"], adapter, seed=2)
    after = answer(generator, request(folders, tuned=adapter))
    assert after[0].text == before[0].text
    assert after[1].text != before[1].text


def test_only_the_adapters_used_last_are_kept(folders: dict[str, Path], tmp_path: Path) -> None:
    loaded = models.Loaded(folders["model"], folders["model"])
    adapters = [make_tiny_adapter(folders["model"], tmp_path / f"a{n}", seed=n) for n in range(10)]
    for adapter in [*adapters, adapters[0]]:
        with loaded.as_sides([models.Side("it", folders["model"], adapter)]):
            pass
    assert loaded.adapters == [f"adapter-{n}" for n in (4, 5, 6, 7, 8, 9, 10, 11)]


def test_models_that_fit_stay_and_the_others_go(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Generator()
    both = request(folders, tuned=folders["other"])
    answer(generator, both)
    assert generator.models.folders() == [folders["model"], folders["other"]]
    answer(generator, request(folders, model=folders["bare"], sides=[side(folders["other"])]))
    assert generator.models.folders() == [folders["model"], folders["other"]]
    monkeypatch.setattr(models, "_free_bytes", lambda: 0)
    generator = Generator()
    first = answer(generator, both)
    assert generator.models.folders() == [folders["other"]]
    assert [one.text for one in answer(generator, both)] == [one.text for one in first]


def test_the_answer_is_cut_where_the_context_ends(folders: dict[str, Path]) -> None:
    long = [{"role": "user", "content": "\x01" * 495}]
    sampling = {**SAMPLING, "max_new_tokens": 40}
    asked = request(folders, sampling=sampling, conversations=[QUESTION, long])
    short, cut = answer(Generator(), asked)
    assert short.tokens == 40
    assert 0 < cut.tokens < 20
    assert cut.cut
    assert cut.done
