"""The built-in engine over the real generator and a tiny random model, in float32: an answer is then the same in any batch."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from ftkit.errors import BadInput, FtkitError, Refused, WorkerFault
from ftkit.jobs.folder import Request
from ftkit.jobs.resident import Resident
from ftkit.serving.engines.asking import Answer, Asked, Source
from ftkit.serving.engines.resident import ResidentEngine
from ftkit.store.files import Folders
from ftkit.workers import loading
from ftkit.workers.answers import batch
from tests.generator import Serving
from tests.tiny import make_tiny_adapter, make_tiny_model, make_tiny_t5

pytestmark = pytest.mark.training

CLIENTS = 30


@pytest.fixture(scope="module", autouse=True)
def single_precision() -> Iterator[None]:
    torch.set_num_threads(1)  # a tiny model is slower on several
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "answer_dtype", lambda: torch.float32)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def serving(home: Path) -> Iterator[Serving]:
    made = Serving(Folders(home).work("generate"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def engine(home: Path, serving: Serving) -> ResidentEngine:
    return engine_of(home)


def engine_of(home: Path) -> ResidentEngine:
    """Over a generator that is awake already: no job is ever started."""
    return ResidentEngine(Resident(cast("Any", None), Folders(home), "generate").ask)


@pytest.fixture(scope="module")
def sources(home: Path) -> dict[str, Source]:
    model = make_tiny_model(home / "tiny")
    options: dict[str, dict[str, Any]] = {"one": {}, "two": {}, "dora": {"use_dora": True}}
    made = {
        name: make_tiny_adapter(model, home / name, seed=seed, **options[name])
        for seed, name in enumerate(options)
    }
    return {
        "base": Source("base", model),
        **{name: Source(name, model, folder) for name, folder in made.items()},
        "whole": Source("whole", model, make_tiny_model(home / "whole", seed=5)),
        "t5": Source("t5", make_tiny_t5(home / "t5")),
    }


def ask(text: str, **changes: Any) -> Asked:
    chosen = {"max_tokens": 6, "temperature": 0.0, **changes}
    return Asked(messages=({"role": "user", "content": text},), **chosen)


def last(engine: ResidentEngine, source: Source, asked: Asked) -> Answer:
    *_, found = engine.answer(source, asked)
    return found


def at_once(count: int, body: Callable[[int], Any]) -> list[Any]:
    """The results of a function in so many threads."""
    found: dict[int, Any] = {}

    def one(place: int) -> None:
        try:
            found[place] = body(place)
        except FtkitError as error:
            found[place] = error

    threads = [threading.Thread(target=one, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [found.get(place) for place in range(count)]


def test_thirty_at_once_get_the_answers_that_they_get_alone(
    engine: ResidentEngine, sources: dict[str, Source]
) -> None:
    """T04: each asks for a text, a length, a seed and a model of its own; none is lost, none is another's."""
    names = ["base", "one", "two", "dora", "one", "whole"]
    asked = [
        (
            sources[names[n % len(names)]],
            ask(f"canary {n * 7919} " + "late " * (n % 5), max_tokens=4 + n % 9, temperature=n % 2, seed=n),
        )
        for n in range(CLIENTS)
    ]
    alone = [last(engine, *one) for one in asked]
    assert len({one.text for one in alone}) > CLIENTS * 0.9
    assert at_once(CLIENTS, lambda n: last(engine, *asked[n])) == alone


def test_an_answer_grows_and_tells_its_numbers(engine: ResidentEngine, sources: dict[str, Source]) -> None:
    steps = list(engine.answer(sources["one"], ask("my parcel is late", max_tokens=12)))
    assert all(after.text.startswith(before.text) for before, after in zip(steps, steps[1:], strict=False))
    assert [one.finish for one in steps[:-1]] == [""] * (len(steps) - 1)
    assert (steps[-1].finish, steps[-1].tokens) == ("length", 12)
    assert steps[-1].prompt_tokens > 0
    assert 0 < (steps[-1].confidence or 0) < 1


def test_a_stop_text_ends_the_answer_before_it_and_is_never_shown_in_part(
    engine: ResidentEngine, sources: dict[str, Source]
) -> None:
    whole = last(engine, sources["one"], ask("my parcel is late", max_tokens=30)).text
    stop = whole[8:14]
    steps = list(engine.answer(sources["one"], ask("my parcel is late", max_tokens=30, stop=[stop, "zzz"])))
    assert steps[-1].finish == "stop"
    assert steps[-1].text == whole[: whole.index(stop)]
    assert all(steps[-1].text.startswith(one.text) for one in steps)


def test_a_prompt_is_taken_as_it_is(engine: ResidentEngine, sources: dict[str, Source]) -> None:
    told = "<|im_start|>user\nmy parcel is late<|im_end|>\n<|im_start|>assistant\n"
    bare = last(engine, sources["one"], Asked(prompt=told, max_tokens=6, temperature=0))
    assert bare == last(engine, sources["one"], ask("my parcel is late"))
    other = last(engine, sources["one"], Asked(prompt="my parcel", max_tokens=6, temperature=0))
    assert other.prompt_tokens < bare.prompt_tokens
    with pytest.raises(BadInput, match="nothing to answer"):
        last(engine, sources["one"], Asked(max_tokens=6))


def test_an_encoder_decoder_model_answers(engine: ResidentEngine, sources: dict[str, Source]) -> None:
    first, second = at_once(2, lambda n: last(engine, sources["t5"], ask("my parcel is late" * (n + 1))))
    assert first.tokens == second.tokens == 6
    assert first.text != second.text
    assert first == last(engine, sources["t5"], ask("my parcel is late"))


def test_a_mistake_in_one_request_is_that_clients_alone(
    engine: ResidentEngine, sources: dict[str, Source]
) -> None:
    asked = [ask("my parcel is late", max_tokens=40) for _ in range(6)]
    asked[3] = ask("zq " * 600)
    found = at_once(6, lambda n: last(engine, sources["base"], asked[n]))
    assert isinstance(found.pop(3), BadInput)
    assert {one.tokens for one in found} == {40}
    gone = at_once(1, lambda _: last(engine, Source("gone", Path("/nowhere")), asked[0]))
    assert isinstance(gone[0], FtkitError)
    with pytest.raises(Refused, match="GGUF"):
        engine.answer(Source("file", gguf=Path("/some.gguf")), asked[0])


def test_what_fails_in_the_model_reaches_all_that_wait_and_the_next_is_answered(
    engine: ResidentEngine, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(batch.Batch, "step", fail)
        found = at_once(3, lambda _: last(engine, sources["base"], ask("late")))
    assert all(isinstance(one, WorkerFault) and "out of memory" in str(one) for one in found)
    assert last(engine, sources["base"], ask("late")).tokens == 6


def test_a_client_that_leaves_ends_its_own_answer_only(
    engine: ResidentEngine, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int] = []
    leave = batch.Batch.leave
    monkeypatch.setattr(
        batch.Batch,
        "leave",
        lambda self, over: left.extend(row.limit for row in over if not row.over) or leave(self, over),
    )
    alone = last(engine, sources["one"], ask("stays", max_tokens=60))
    leaving = engine.answer(sources["two"], ask("leaves", max_tokens=400))
    next(leaving)
    staying = engine.answer(sources["one"], ask("stays", max_tokens=60))
    next(staying)
    leaving.close()
    *_, stayed = staying
    assert stayed == alone
    assert left == [400]


def test_who_does_not_fit_waits_and_nobody_overtakes(
    engine: ResidentEngine, sources: dict[str, Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_MOST_TOKENS", 200)
    found = at_once(5, lambda n: last(engine, sources["base"], ask("late", max_tokens=60 + n)))
    assert [one.tokens for one in found] == [60, 61, 62, 63, 64]


def test_a_silent_client_holds_up_nobody_and_can_give_up(
    engine: ResidentEngine, sources: dict[str, Source]
) -> None:
    silent = engine.answer(sources["base"], ask("late", max_tokens=400))
    next(silent)
    assert last(engine, sources["base"], ask("late")).tokens == 6
    silent.close()


def test_answers_are_finished_before_a_pause_and_who_waits_asks_again(
    tmp_path: Path, sources: dict[str, Source]
) -> None:
    first = Serving(Folders(tmp_path).work("generate"))
    engine = engine_of(tmp_path)
    answer = engine.answer(sources["base"], ask("late", max_tokens=60))
    next(answer)
    first.worker.folder.ask_to_stop(Request("pause"))
    time.sleep(0.1)
    replies = first.connect()
    *_, whole = answer
    assert (whole.tokens, whole.finish) == (60, "length")
    first.thread.join(20)
    assert first.result == {"answered": 1}
    replies.close()
