"""A tiny T5 from rows to an adapter, an evaluation and answers: transformers' own trainer, real files."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from ftkit.data.chat import training_row
from ftkit.errors import BadInput
from ftkit.workers import evaluate, loading, train
from ftkit.workers.answers.models import Side
from ftkit.workers.answers.streaming import Limits
from ftkit.workers.generate import Asked, Generator
from ftkit.workers.generation import answer_all
from ftkit.workers.harness import Stopped, Worker
from ftkit.workers.training.rows import FastTokenizer, tokenise
from ftkit.workers.training.seq2seq.trainer import collator
from tests.tiny import make_tiny_t5
from tests.unit.workers.runs import MAPPING, curve, make_run, make_split, rows
from tests.unit.workers.test_train import Interrupted, _without_time

pytestmark = pytest.mark.training

RUN: dict[str, Any] = {"num_train_epochs": 2, "bf16": False, "per_device_eval_batch_size": 3}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a tiny model is slower on several
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_t5(tmp_path_factory.mktemp("models") / "tiny-t5")


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_split(tmp_path_factory.mktemp("split"), rows(16), rows(20)[16:])


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, model: Path, split: Path
) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("finished")
    return folder, dict(train.job(make_run(folder, model, split, **RUN)))


def _token_rows(model: Path, number: int) -> list[Any]:
    tokenizer = FastTokenizer(model)
    return [tokenise(training_row(row, MAPPING), tokenizer) for row in rows(number)]


def _losses(run: Path) -> list[float]:
    return [point["loss"] for point in curve(run) if "loss" in point]


@torch.no_grad()
def _slow_loss(model: Any, data: list[Any]) -> float:
    """Row by row, token by token."""
    total, tokens = 0.0, 0
    for row in data:
        start = [model.config.decoder_start_token_id, *row.labels[:-1]]
        scores = model(
            input_ids=torch.tensor([row.input_ids]), decoder_input_ids=torch.tensor([start])
        ).logits[0]
        each = torch.log_softmax(scores.double(), -1)
        total -= sum(float(each[place, label]) for place, label in enumerate(row.labels))
        tokens += len(row.labels)
    return total / tokens


def test_it_learns_and_says_the_true_loss(finished: tuple[Path, dict[str, Any]], model: Path) -> None:
    run, result = finished
    losses = _losses(run)
    assert losses[-1] < losses[0] - 0.5
    data = _token_rows(model, 20)
    assert result["tokens"] == 2 * sum(row.size for row in data[:16])
    assert not result["fast_path"]
    tuned = loading.load_with_adapter(model, run / "adapter", torch.float32)
    assert result["eval_loss"] == pytest.approx(_slow_loss(tuned, data[16:]), rel=1e-5)
    config = json.loads((run / "adapter" / "adapter_config.json").read_text())
    assert config["task_type"] == "SEQ_2_SEQ_LM"
    # all-linear: attention and feed-forward layers of both sides, never the output layer.
    assert set(config["target_modules"]) == {"q", "k", "v", "o", "wi_0", "wi_1", "wo"}


def test_a_batch_masks_padding_and_moves_answers_on(model: Path) -> None:
    data = _token_rows(model, 3)
    batch = collator(loading.load_tokenizer(model), loading.load_model(model, torch.float32))(
        [row._asdict() for row in data]
    )
    for place, row in enumerate(data):
        asked, answered = len(row.input_ids), len(row.labels)
        assert batch["input_ids"][place, :asked].tolist() == row.input_ids
        assert batch["attention_mask"][place].tolist() == [1] * asked + [0] * (
            batch["input_ids"].shape[1] - asked
        )
        assert batch["labels"][place, :answered].tolist() == row.labels
        assert set(batch["labels"][place, answered:].tolist()) <= {-100}
        assert batch["decoder_input_ids"][place, :answered].tolist() == [0, *row.labels[:-1]]
        assert row.labels[-1] == 1


def test_a_stop_saves_and_resuming_ends_at_the_same_bytes(
    tmp_path: Path, model: Path, split: Path, finished: tuple[Path, dict[str, Any]]
) -> None:
    make_run(tmp_path, model, split, **RUN)
    with pytest.raises(Stopped):
        train.job(Interrupted(tmp_path, step=3))
    (tmp_path / "stop").unlink()
    train.job(Worker(tmp_path))
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        assert (tmp_path / "adapter" / name).read_bytes() == (finished[0] / "adapter" / name).read_bytes()
    assert _without_time(tmp_path) == _without_time(finished[0])


@pytest.mark.faults
def test_two_small_batches_are_one_large_one(tmp_path: Path, model: Path, split: Path) -> None:
    calm = tmp_path / "calm"
    shutil.copytree(model, calm)
    config = json.loads((calm / "config.json").read_text())
    (calm / "config.json").write_text(json.dumps({**config, "dropout_rate": 0.0}))
    train.job(make_run(tmp_path / "one", calm, split, bf16=False, gradient_accumulation_steps=1))
    halves = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    train.job(make_run(tmp_path / "two", calm, split, bf16=False, **halves))
    # The first loss of both is of the same rows and weights, the others also of the same steps before.
    assert _losses(tmp_path / "two") == pytest.approx(_losses(tmp_path / "one"), rel=1e-4)


@pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning")
@pytest.mark.parametrize(
    "options",
    [
        {"load_in_4bit": True},
        pytest.param({"load_in_8bit": True}, marks=pytest.mark.faults),
        pytest.param({"use_dora": True, "target_modules": "q,v"}, marks=pytest.mark.faults),
        pytest.param({"activation_checkpointing": True}, marks=pytest.mark.faults),
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_ways_to_train_work(options: dict[str, Any], tmp_path: Path, model: Path, split: Path) -> None:
    train.job(make_run(tmp_path, model, split, bf16=False, **options))
    assert _losses(tmp_path)[-1] < _losses(tmp_path)[0]


def test_a_layer_that_is_not_there_is_named(tmp_path: Path, model: Path, split: Path) -> None:
    with pytest.raises(BadInput, match="no layer q_proj .*: k, o, q, v, wi_0, wi_1, wo"):
        train.job(make_run(tmp_path, model, split, target_modules="q_proj"))


def _evaluated(folder: Path, model: Path, tuned: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    split = make_split(folder / "split", [], [])
    shutil.copyfile(make_split(folder / "rows", rows(5)) / "train.parquet", split / "test.parquet")
    job = folder / "job"
    job.mkdir()
    inputs = {"split": str(split), "mapping": MAPPING, "part": "test", "model": str(model)}
    more = {"tuned": str(tuned), "seed": 42, "max_new_tokens": 12}
    (job / "inputs.json").write_text(json.dumps({**inputs, **more}))
    evaluate.evaluate(Worker(job))
    return json.loads((job / "report.json").read_text()), pq.read_table(job / "samples.parquet").to_pylist()


def test_base_and_tuned_are_measured(
    tmp_path: Path, model: Path, finished: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "answer_dtype", lambda: torch.float32)
    report, samples = _evaluated(tmp_path, model, finished[0] / "adapter")
    data = _token_rows(model, 5)
    both = loading.load_with_adapter(model, finished[0] / "adapter", torch.float32)
    slow = torch.tensor(_slow_loss(both, data)).exp()
    assert report["tuned"]["perplexity"] == pytest.approx(float(slow), rel=1e-4)
    assert report["tuned"]["perplexity"] < report["base"]["perplexity"]
    assert [sample["scored_tokens"] for sample in samples] == [len(row.labels) for row in data]
    assert [sample["prompt"] for sample in samples] == [row["message"] for row in rows(5)]
    # An answer of a batch is what the model alone writes to the row alone.
    tokenizer = loading.load_tokenizer(model)
    for row, sample in zip(data, samples, strict=True):
        (alone,) = answer_all(both, tokenizer, [row.input_ids], 12, lambda _: None, lambda: False)
        assert sample["tuned_answer"] == alone[1].text != sample["base_answer"]


def test_full_fine_tuning_leaves_a_model_that_is_measured_and_answers(
    tmp_path: Path, model: Path, split: Path
) -> None:
    options = {"use_peft": False, "learning_rate": 3e-3}
    result = train.job(make_run(tmp_path / "run", model, split, **RUN, **options))
    whole = tmp_path / "run" / "model"
    tuned: Any = loading.load_model(whole, torch.float32)
    assert result["eval_loss"] == pytest.approx(_slow_loss(tuned, _token_rows(model, 20)[16:]), rel=1e-5)
    # Its output layer is not its embeddings, although transformers writes into the config that it is.
    assert not torch.equal(tuned.lm_head.weight, tuned.shared.weight)
    report, _ = _evaluated(tmp_path / "evaluation", model, whole)
    assert report["tuned"]["perplexity"] < report["base"]["perplexity"]


def test_both_sides_answer_in_one_batch(
    model: Path, finished: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # In 16 bits a row of a batch and the same row alone may differ where two tokens are nearly as likely.
    monkeypatch.setattr(loading, "answer_dtype", lambda: torch.float32)
    adapter = finished[0] / "adapter"
    messages = [{"role": "system", "content": "Sort it."}, {"role": "user", "content": "my parcel is late"}]
    sides = [Side("base", model, None, 1.0), Side("tuned", model, adapter, 1.0)]
    steps: list[int] = []

    def tell(said: Any) -> bool:
        steps.append(said[1].tokens)
        return True

    said = Generator().answer(Asked(sides, [messages] * 2, Limits(max_new_tokens=6)), tell)
    loaded, tokenizer = loading.load_with_adapter(model, adapter), loading.load_tokenizer(model)
    prompt = FastTokenizer(model).text("Sort it.\n\nmy parcel is late")
    (tuned,) = answer_all(loaded, tokenizer, [prompt], 6, lambda _: None, lambda: False)
    with loaded.disable_adapter():
        (base,) = answer_all(loaded, tokenizer, [prompt], 6, lambda _: None, lambda: False)
    assert [(one.text, one.tokens, one.cut) for one in said] == [base[1], tuned[1]]
    assert steps[:3] == [1, 2, 3]
