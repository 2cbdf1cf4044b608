import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.errors import Refused
from ftkit.workers import loading
from ftkit.workers.answers.drawing import Draw
from ftkit.workers.harness import Stopped, Worker
from ftkit.workers.study import answer_study
from tests.tiny import make_tiny_adapter, make_tiny_model

pytestmark = pytest.mark.training

GREEDY = {"temperature": 0.0, "top_p": 1.0, "max_new_tokens": 10, "seed": 42}
SAMPLED = {**GREEDY, "temperature": 0.9, "top_p": 0.95}


@pytest.fixture(autouse=True)
def same_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # In bfloat16, which some processors compute in, the rows of a batch differ from the same rows alone.
    monkeypatch.setattr(loading, "answer_dtype", lambda: torch.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a tiny model is slower on several
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny = make_tiny_model(folder / "tiny")
    make_tiny_adapter(tiny, folder / "adapter")
    make_tiny_adapter(tiny, folder / "dora", seed=6, use_dora=True)
    make_tiny_model(folder / "whole", seed=7)
    make_tiny_model(folder / "other", seed=8)
    return folder


def side(
    models: Path, name: str, tuned: str | None = None, strength: float = 1.0, model: str = "tiny"
) -> Any:
    return {
        "name": name,
        "model": str(models / model),
        "tuned": str(models / tuned) if tuned else None,
        "strength": strength,
    }


def prompts(count: int) -> list[dict[str, Any]]:
    words = ["my parcel is late", "charged twice", "the kettle will not boil and " * 3]
    return [
        {"messages": [{"role": "user", "content": f"{words[n % 3]} number {n}"}], "plain": False}
        for n in range(count)
    ]


def make_worker(folder: Path, sides: list[Any], asked: list[Any], sampling: Any = GREEDY) -> Worker:
    folder.mkdir(parents=True)
    (folder / "inputs.json").write_text(
        json.dumps({"prompts": asked, "sides": sides, "sampling": dict(sampling)})
    )
    return Worker(folder)


def lines(worker: Worker) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (worker.path / "answers.jsonl").read_text().splitlines()]


def said(worker: Worker) -> dict[tuple[int, str], str]:
    found = {(line["prompt"], line["side"]): line["text"] for line in lines(worker)}
    assert len(found) == len(lines(worker)), "each answer once"
    return found


@pytest.mark.parametrize("sampling", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_every_side_answers_as_it_would_alone(tmp_path: Path, models: Path, sampling: Any) -> None:
    sides = [
        side(models, "base:tiny"),
        side(models, "run:a", "adapter"),
        side(models, "run:a@0.5", "adapter", 0.5),
        side(models, "run:d", "dora"),
        side(models, "run:w", "whole"),
        side(models, "base:other", model="other"),
    ]
    together = make_worker(tmp_path / "all", sides, prompts(5), sampling)
    metrics = answer_study(together)
    assert (metrics["answers"], metrics["left_out"]) == (30, 0)
    answers = said(together)
    for one in sides:
        alone = make_worker(tmp_path / one["name"].replace(":", "-"), [one], prompts(5), sampling)
        answer_study(alone)
        assert {key: text for key, text in answers.items() if key[1] == one["name"]} == said(alone)
    by_side = {one["name"]: tuple(answers[n, one["name"]] for n in range(5)) for one in sides}
    assert len(set(by_side.values())) == len(sides), "all models differ"


@pytest.mark.parametrize("tuned", ["adapter", "dora"])
def test_an_adapter_of_no_strength_is_the_base_model(tmp_path: Path, models: Path, tuned: str) -> None:
    sides = [side(models, "base:tiny"), side(models, "run:a@0", tuned, 0.0), side(models, "run:a", tuned)]
    worker = make_worker(tmp_path / "job", sides, prompts(3))
    answer_study(worker)
    answers = said(worker)
    for n in range(3):
        assert answers[n, "run:a@0"] == answers[n, "base:tiny"] != answers[n, "run:a"]


def test_models_that_agree_draw_the_same_tokens(tmp_path: Path, models: Path) -> None:
    shutil.copytree(models / "tiny", tmp_path / "copy")
    sides = [side(models, "base:tiny"), {**side(models, "base:copy"), "model": str(tmp_path / "copy")}]
    worker = make_worker(tmp_path / "job", sides, [prompts(1)[0]] * 3, SAMPLED)
    answer_study(worker)
    answers = said(worker)
    assert all(answers[n, "base:tiny"] == answers[n, "base:copy"] for n in range(3))
    assert len({answers[n, "base:tiny"] for n in range(3)}) == 3, "each prompt has its own randomness"


def test_noise_samples_the_distribution() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0]]).expand(4000, 3)
    drawn = Draw(1.0, 1.0, 7, range(4000)).processors(range(4000), 5)(torch.zeros(4000, 5).long(), logits)
    counts = Counter(drawn.argmax(-1).tolist())
    expected = torch.softmax(logits[0], -1).tolist()
    for token in range(3):
        assert counts[token] / 4000 == pytest.approx(expected[token], abs=0.03)


def test_a_killed_study_goes_on_and_ends_as_an_unbroken_one(tmp_path: Path, models: Path) -> None:
    sides = [side(models, "base:tiny"), side(models, "run:a", "adapter"), side(models, "run:w", "whole")]
    long = {**SAMPLED, "max_new_tokens": 24}
    whole = make_worker(tmp_path / "whole", sides, prompts(16), long)
    answer_study(whole)
    broken = make_worker(tmp_path / "broken", sides, prompts(16), long)
    (broken.path / "job.json").write_text(json.dumps({"nonce": "n"}))
    file = broken.path / "answers.jsonl"
    code = (
        "import sys, torch; torch.set_num_threads(1); sys.argv = ['study', sys.argv[1]];"
        "from ftkit.workers import loading; loading.answer_dtype = lambda: torch.float32;"
        "from ftkit.workers.study import answer_study, run; run(answer_study)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(broken.path)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (file.exists() and file.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    before = file.read_bytes()
    count = before.count(b"\n")
    assert 0 < count < 48
    file.write_bytes(before + b'{"prompt": 3, "si')  # as a crash in mid-write would leave it
    again = Worker(broken.path)
    answer_study(again)
    assert file.read_bytes().startswith(before), "nothing is asked twice"
    kept = [json.loads(line) for line in file.read_bytes().splitlines() if line.endswith(b"}")]
    assert {(k["prompt"], k["side"]): k["text"] for k in kept} == said(whole)
    assert len(kept) == 48
    assert json.loads((again.path / "report.json").read_text())["answers"] == 48


def test_a_stop_keeps_what_was_said(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = make_worker(
        tmp_path / "job", [side(models, "base:tiny"), side(models, "run:w", "whole")], prompts(4)
    )
    monkeypatch.setattr(worker, "stop_asked", lambda: (worker.path / "answers.jsonl").exists())
    with pytest.raises(Stopped):
        answer_study(worker)
    assert 0 < len(lines(worker)) < 8
    assert not (worker.path / "report.json").exists()


def test_prompts_that_cannot_be_asked_are_counted(tmp_path: Path) -> None:
    small = make_tiny_model(tmp_path / "small", context_length=60)
    sides = [{"name": "base:small", "model": str(small), "tuned": None}]
    long = {"messages": [{"role": "user", "content": "my parcel is late " * 40}]}
    worker = make_worker(tmp_path / "job", sides, [*prompts(1), long])
    assert answer_study(worker)["left_out"] == 1
    report = json.loads((worker.path / "report.json").read_text())
    (left_out,) = report["left_out_prompts"]
    assert left_out == {
        "prompt": 1,
        "side": "base:small",
        "reason": "longer than the 60 tokens that the model can read",
    }
    with pytest.raises(Refused, match=r"None of the 1 prompts can be asked \(longer than the 60 tokens"):
        answer_study(make_worker(tmp_path / "none", sides, [long]))


def test_only_an_adapter_has_a_strength(tmp_path: Path, models: Path) -> None:
    with pytest.raises(Refused, match="run:w@0.5 is a whole model"):
        answer_study(make_worker(tmp_path / "job", [side(models, "run:w@0.5", "whole", 0.5)], prompts(1)))


def test_a_plain_prompt_goes_to_the_model_as_it_stands(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[list[int]]] = []
    from ftkit.workers import study

    original = study.answer_batch
    monkeypatch.setattr(
        study, "answer_batch", lambda m, t, ids, *a, **k: asked.append(ids) or original(m, t, ids, *a, **k)
    )
    one = {"messages": [{"role": "user", "content": "my parcel"}]}
    answer_study(make_worker(tmp_path / "job", [side(models, "base:tiny")], [one, {**one, "plain": True}]))
    tokenizer = loading.load_tokenizer(models / "tiny")
    chat, plain = (tokenizer.decode(ids) for ids in asked[0])
    assert plain == "my parcel"
    assert chat == "<|im_start|>user\nmy parcel<|im_end|>\n<|im_start|>assistant\n"
