"""Sample answers in real runs over the tiny model: they are there, and training goes on as if nothing had been asked."""

from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.workers import train
from ftkit.workers.harness import Stopped, Worker
from ftkit.workers.training.rows import FastTokenizer
from tests.unit.workers.runs import curve, make_run, make_split, rows, samples

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning"),  # TRL about its own names
]
PAIRS = [
    {
        "q": f"Question {n}?",
        "good": f"A kind answer {n}",
        "bad": f"no {n}",
        "mark": "bad" if n % 2 else "good",
    }
    for n in range(12)
]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_split(tmp_path_factory.mktemp("split"), rows(16), rows(20)[16:])


def _result(folder: Path) -> bytes:
    found = next(folder.glob("*/*model.safetensors"))
    return found.read_bytes()


def _learned(folder: Path) -> list[Any]:
    return [(m["step"], m.get("loss"), m.get("eval_loss"), m.get("grad_norm")) for m in curve(folder)]


@pytest.mark.parametrize(
    "values",
    [
        {"lora_dropout": 0.2},
        pytest.param(
            {"fast_path": False, "lora_dropout": 0.2, "activation_checkpointing": True},
            marks=pytest.mark.faults,
        ),
        pytest.param({"use_peft": False, "learning_rate": 0.001}, marks=pytest.mark.faults),
    ],
    ids=str,
)
def test_training_goes_on_as_if_nothing_had_been_asked(
    values: dict[str, Any], tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    with_, without = tmp_path / "with", tmp_path / "without"
    train.job(make_run(with_, tiny_model, split, **values))
    train.job(make_run(without, tiny_model, split, sample_prompts=0, **values))
    assert _result(with_) == _result(without)
    assert _learned(with_) == _learned(without)
    assert not (without / "samples.jsonl").exists()
    assert [line["step"] for line in samples(with_)] == [0, 0, 2, 2, 4, 4]


def test_the_answers_are_those_of_the_model_at_each_step(
    tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    from ftkit.workers import loading
    from ftkit.workers.generation import answer_all

    # In 32 bits, where the fast path and the plain one agree to the last token.
    train.job(
        make_run(
            tmp_path,
            tiny_model,
            split,
            sample_prompts=3,
            sample_max_new_tokens=6,
            bf16=False,
            learning_rate=0.05,
        )
    )
    lines = samples(tmp_path)
    assert [line["row"] for line in lines] == [1, 2, 3] * 3
    assert {line["reference"] for line in lines} == {row["answer"] for row in rows(20)[16:19]}
    base, last = lines[:3], lines[-3:]
    assert [line["answer"] for line in base] != [line["answer"] for line in last]

    tokenizer, encode = loading.load_tokenizer(tiny_model), FastTokenizer(tiny_model)
    ids = [encode.chat([{"role": "system", "content": row["system"]}, {"role": "user", "content": row["message"]}], True) for row in rows(19)[16:]]  # fmt: skip
    for expected, model in (
        (base, loading.load_model(tiny_model, torch.float32)),
        (
            last,
            loading.load_with_adapter(tiny_model, tmp_path / "checkpoints" / "checkpoint-4", torch.float32),
        ),
    ):
        answers = dict(answer_all(model, tokenizer, ids, 6, lambda _: None, lambda: False))
        assert [answers[place].text for place in range(3)] == [line["answer"] for line in expected]


@pytest.mark.parametrize(
    ("values", "mapping", "reference"),
    [
        ({"method": "dpo"}, {"user": "q", "chosen": "good", "rejected": "bad"}, "A kind answer 8"),
        ({"method": "kto"}, {"user": "q", "assistant": "good", "label": "mark"}, "A kind answer 8"),
        ({}, {"text": "good"}, "kind answer 8"),
    ],
    ids=["dpo", "kto", "text"],
)
def test_other_methods_are_asked_too(
    values: dict[str, Any], mapping: dict[str, str], reference: str, tmp_path: Path, tiny_model: Path
) -> None:
    data = make_split(tmp_path / "split", PAIRS[:8], PAIRS[8:], list(PAIRS[0]))
    train.job(make_run(tmp_path, tiny_model, data, mapping, sample_prompts=1, **values))
    lines = samples(tmp_path)
    assert [line["step"] for line in lines] == [0, *[m["step"] for m in curve(tmp_path) if "eval_loss" in m]]
    assert {line["reference"] for line in lines} == {reference}
    assert {line["beginning"] for line in lines} == {"text" in mapping}


@pytest.mark.faults
def test_the_time_of_answers_is_not_counted_as_training(
    tmp_path: Path, tiny_model: Path, split: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftkit.workers.training.samples import sampler

    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def slow(*_: Any, **__: Any) -> Any:
        clock[0] += 1000
        return iter(())

    monkeypatch.setattr(sampler, "answer_all", slow)
    result = train.job(make_run(tmp_path, tiny_model, split))
    assert clock[0] == 3000
    assert result["train_seconds"] == 0


class Asking(Worker):
    """A worker that is stopped, or killed, while it answers after a step."""

    def __init__(self, path: Path, step: int, crash: bool = False) -> None:
        super().__init__(path)
        self._at, self._crash = step, crash

    def progress(self, phase: str, step: int = 0, steps: int = 0, **more: Any) -> None:
        super().progress(phase, step, steps, **more)
        if phase == "generating" and step == self._at:
            if self._crash:
                raise MemoryError("killed")
            self.folder.ask_to_stop()


@pytest.mark.faults
def test_after_a_crash_or_a_stop_the_answers_stand_once(
    tmp_path: Path, tiny_model: Path, split: Path
) -> None:
    whole = tmp_path / "whole"
    train.job(make_run(whole, tiny_model, split))

    crashed = tmp_path / "crashed"
    make_run(crashed, tiny_model, split)
    with pytest.raises(MemoryError):
        train.job(Asking(crashed, step=4, crash=True))
    train.job(Worker(crashed))
    assert (samples(crashed), _result(crashed)) == (samples(whole), _result(whole))

    stopped = tmp_path / "stopped"
    make_run(stopped, tiny_model, split)
    with pytest.raises(Stopped):
        train.job(Asking(stopped, step=0))
    assert not (stopped / "adapter").exists()
    (stopped / "stop").unlink()
    train.job(Worker(stopped))
    assert (samples(stopped), _result(stopped)) == (samples(whole), _result(whole))


def test_without_validation_rows_nothing_is_asked(tmp_path: Path, tiny_model: Path) -> None:
    train.job(make_run(tmp_path, tiny_model, make_split(tmp_path / "split", rows(8))))
    assert not (tmp_path / "samples.jsonl").exists()
