"""llama.cpp as an engine, over its real worker loop and a tiny model written as GGUF."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from ftkit.errors import BadInput, Refused
from ftkit.jobs.resident import Resident
from ftkit.serving.engines.asking import Answer, Asked, Source
from ftkit.serving.engines.llamacpp import LlamaEngine
from ftkit.store.files import Folders
from ftkit.workers.harness import Worker
from tests.tiny_gguf import make_tiny_gguf

pytestmark = pytest.mark.training
pytest.importorskip("xllamacpp")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaEngine]:
    from ftkit.workers.llama.__main__ import serve

    folders = Folders(tmp_path_factory.mktemp("home"))
    folder = folders.work("llama")
    folder.mkdir(parents=True)
    (folder / "key").write_bytes(b"secret")
    worker = Worker(folder)
    thread = threading.Thread(target=serve, args=(worker,))
    thread.start()
    while "port" not in worker.folder.state():
        time.sleep(0.02)
    yield LlamaEngine(Resident(cast("Any", None), folders, "llama").ask)
    worker.folder.ask_to_stop()
    thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source("tiny", gguf=make_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf"))


def ask(n: int, **changes: Any) -> Asked:
    chosen = {"max_tokens": 4 + n % 5, "temperature": 0.0, **changes}
    return Asked(messages=({"role": "user", "content": f"canary {n * 7919}"},), **chosen)


def last(engine: LlamaEngine, source: Source, asked: Asked) -> Answer:
    *_, found = engine.answer(source, asked)
    return found


def test_many_at_once_get_the_answers_that_they_get_alone(engine: LlamaEngine, source: Source) -> None:
    alone = [last(engine, source, ask(n)) for n in range(8)]
    found: dict[int, Answer] = {}

    def one(n: int) -> None:
        found[n] = last(engine, source, ask(n))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({one.text for one in alone}) > 6
    assert [found.get(n) for n in range(8)] == alone
    assert [one.tokens for one in alone] == [4 + n % 5 for n in range(8)]
    assert all(one.finish == "length" and 0 < (one.confidence or 0) < 1 for one in alone)


def test_a_client_that_leaves_ends_its_own_answer(engine: LlamaEngine, source: Source) -> None:
    leaving = engine.answer(source, ask(1, max_tokens=450))
    next(leaving)
    leaving.close()
    assert last(engine, source, ask(2)).finish == "length"


def test_mistakes_are_said_and_the_worker_goes_on(engine: LlamaEngine, source: Source) -> None:
    with pytest.raises(BadInput, match="context"):
        last(engine, source, Asked(prompt="zq " * 600))
    with pytest.raises(Refused, match="no GGUF"):
        engine.answer(Source("run", Path("/some/model")), ask(1))
    assert last(engine, source, Asked(prompt="my parcel", max_tokens=3)).tokens == 3


def test_without_the_package_it_is_refused_with_the_way_out(source: Source) -> None:
    with pytest.raises(Refused, match=r"ftkit\[llamacpp\]"):
        LlamaEngine(cast("Any", None), "no_such_package").answer(source, ask(1))
