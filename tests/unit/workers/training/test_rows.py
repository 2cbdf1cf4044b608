import json
import shutil
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftkit.data.chat import training_row
from ftkit.errors import BadInput
from ftkit.jobs.call import call_worker
from ftkit.settings import Settings
from ftkit.workers.training.prepared import prepare
from ftkit.workers.training.rows import IGNORED, FastTokenizer, row_limit, tokenise
from tests.tiny import make_tiny_t5
from tests.unit.workers.runs import MAPPING, make_split, rows

# SmolLM2's own: a default system prompt, and a newline behind the end token.
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou "
    "are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + "
    "message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ "
    "'<|im_start|>assistant\n' }}{% endif %}"
)
# Writes an open question otherwise than an answered one, as templates of thinking models do.
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
TEXT = {"text": "message"}
RAW = {"prompt": "message", "completion": "answer"}


@pytest.fixture(params=[SMOLLM2, THINKING], ids=["smollm2", "thinking"])
def model(request: pytest.FixtureRequest, tiny_model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    (folder / "chat_template.jinja").write_text(request.param)
    return folder


def _as_trl(model: Path, data: list[Any], completion_only: bool) -> list[dict[str, list[int]]]:
    """What plain TRL makes of the same rows."""
    from datasets import Dataset
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    from ftkit.workers.loading import load_tokenizer

    tokenizer = load_tokenizer(model)
    trainer = SimpleNamespace(_tokenizer=tokenizer, chat_template=None, completion_only_loss=completion_only)
    config = SFTConfig(output_dir="unused", max_length=None, report_to="none", bf16=False)
    made = SFTTrainer._prepare_dataset(trainer, Dataset.from_list(data), tokenizer, config, False, None, "x")
    return [{"input_ids": row["input_ids"], "labels": row["labels"]} for row in made]


@pytest.mark.training
@pytest.mark.parametrize("completion_only", [True, False])
@pytest.mark.parametrize("mapping", [MAPPING, {"user": "message", "assistant": "answer"}, TEXT, RAW])
@pytest.mark.filterwarnings(
    "ignore:.*deprecated.*:FutureWarning"
)  # TRL and transformers about their own names
def test_ids_and_labels_are_those_of_trl(model: Path, mapping: dict[str, str], completion_only: bool) -> None:
    data = [training_row(row, mapping) for row in rows(7)]
    tokenizer = FastTokenizer(model)
    ours = [tokenise(row, tokenizer, completion_only)._asdict() for row in data]
    assert ours == _as_trl(model, data, completion_only)


@pytest.mark.training
def test_the_run_card_counts_what_the_trainer_gets(model: Path, tmp_path: Path) -> None:
    data = [*rows(9), {"system": "s", "message": "no answer", "answer": ""}]
    split = make_split(tmp_path / "split", data)
    tokenizer = FastTokenizer(model)
    whole = [tokenise(training_row(row, MAPPING), tokenizer) for row in data[:9]]
    limit = sorted(len(row.input_ids) for row in whole)[4]
    question = {
        "split": str(split),
        "part": "train",
        "mapping": MAPPING,
        "model": str(model),
        "max_length": limit,
        "completion_only_loss": True,
        "method": "sft",
        "cache": str(tmp_path / "cache"),
    }
    answer = call_worker("data.tokens", question, Settings.from_environment().worker_environment())
    kept = [row for row in whole if len(row.input_ids) <= limit]
    assert len(kept) < 9
    assert answer == {
        "rows": len(kept),
        "tokens": sum(len(row.input_ids) for row in kept),
        "trained_tokens": sum(label != IGNORED for row in kept for label in row.labels),
        "longest": max(len(row.input_ids) for row in whole),
        "left_out": 9 - len(kept),
        "empty": 1,
        "disarmed": 0,
        "reasons": [[10, "“answer” is empty"]],
        "longest_answer": max(row.trained for row in kept),
        "spread": pytest.approx(statistics.pstdev(row.size for row in kept)),
        "unknown": 0,
        "unknown_signs": "",
        "secrets": 0,
        "secret_places": [],
    }


def test_rows_at_the_limit_stay_and_longer_ones_go_whole(tiny_model: Path, tmp_path: Path) -> None:
    split = make_split(tmp_path, rows(6))
    tokenizer = FastTokenizer(tiny_model)
    lengths = sorted(len(tokenise(training_row(row, MAPPING), tokenizer).input_ids) for row in rows(6))
    prepared = prepare(split / "train.parquet", MAPPING, tokenizer, lengths[2])
    assert max(len(row.input_ids) for row in prepared.rows) == lengths[2]
    assert len(prepared.rows) + prepared.left_out == 6
    assert prepared.longest == lengths[-1]


def test_a_text_ends_once_and_is_learned_whole(tiny_model: Path) -> None:
    tokenizer = FastTokenizer(tiny_model)
    row = tokenise({"text": "my parcel"}, tokenizer)
    assert row == tokenise({"text": "my parcel<|im_end|>"}, tokenizer)
    assert row.input_ids == row.labels
    assert row.trained == len(row.input_ids) - 1


def test_rows_that_a_template_refuses_are_counted_with_the_reason(tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    (model / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{{ m.content }}<|im_end|>{% endfor %}"
    )
    data = [{"message": "a", "answer": "b"}, {"system": "s", "message": "a", "answer": "b"}]
    prepared = prepare(make_split(tmp_path, data) / "train.parquet", MAPPING, FastTokenizer(model), 100)
    assert (len(prepared.rows), prepared.empty) == (1, 1)
    ((row, reason),) = prepared.reasons
    assert row == 2
    assert "no system role" in reason


def test_conversations_need_a_chat_template(tiny_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    (model / "chat_template.jinja").unlink()
    split = make_split(tmp_path, rows(2))
    with pytest.raises(BadInput) as caught:
        prepare(split / "train.parquet", MAPPING, FastTokenizer(model), 100)
    assert caught.value.key == "models.no_template"
    assert prepare(split / "train.parquet", TEXT, FastTokenizer(model), 100).rows


def _t5(folder: Path) -> Path:
    return make_tiny_t5(folder / "t5")


def test_an_encoder_reads_the_question_and_a_decoder_learns_the_answer(tmp_path: Path) -> None:
    tokenizer = FastTokenizer(_t5(tmp_path))
    row = rows(2)[1]
    made = tokenise(training_row(row, MAPPING), tokenizer)
    assert made.input_ids == tokenizer.text(f"{row['system']}\n\n{row['message']}")
    assert made.labels == tokenizer.text(row["answer"])
    assert made.input_ids[-1] == made.labels[-1] == 1
    assert (made.size, made.trained) == (len(made.input_ids) + len(made.labels), len(made.labels))
    raw = tokenise(training_row(row, RAW), tokenizer)
    assert raw == (tokenizer.text(row["message"]), made.labels)
    talk = [("user", "a"), ("assistant", "b"), ("user", "c")]
    ids = tokenizer.chat([{"role": role, "content": text} for role, text in talk], True)
    assert ids == tokenizer.text("user: a\n\nassistant: b\n\nuser: c")


def test_control_tokens_end_no_question_of_an_encoder(tmp_path: Path) -> None:
    tokenizer = FastTokenizer(_t5(tmp_path))
    row = training_row({"message": "my </s> parcel", "answer": "late</s>"}, MAPPING)
    made = tokenise(row, tokenizer)
    assert tokenizer.disarms(row)
    assert made.input_ids.count(1) == made.labels.count(1) == 1


def test_either_side_at_the_limit_decides_for_an_encoder_decoder(tmp_path: Path) -> None:
    tokenizer = FastTokenizer(_t5(tmp_path))
    data = [{"message": "my " * 30, "answer": "late"}, {"message": "my", "answer": "late " * 30}]
    split = make_split(tmp_path / "split", [*data, {"message": "my parcel", "answer": "{ş} late"}])
    prepared = prepare(split / "train.parquet", {"user": "message", "assistant": "answer"}, tokenizer, 20)
    assert (len(prepared.rows), prepared.left_out) == (1, 2)
    assert (prepared.unknown, prepared.unknown_signs) == (1, "{ } ş")
    assert prepared.longest_answer == len(prepared.rows[0].labels)
    assert prepare(split / "train.parquet", TEXT, tokenizer, 99).empty == 3


def test_a_byte_level_tokenizer_knows_every_sign(tiny_model: Path) -> None:
    assert FastTokenizer(tiny_model).unknown_signs({"text": "ş 👋 {x}"}) == set()


def test_the_context_of_the_model_is_a_limit(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"max_position_embeddings": 64}))
    assert (row_limit(tmp_path, 100), row_limit(tmp_path, 32)) == (64, 32)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_positions": 48}))
    assert row_limit(tmp_path, 100) == 48
    (tmp_path / "config.json").write_text(json.dumps({"is_encoder_decoder": True, "n_positions": 48}))
    assert row_limit(tmp_path, 100) == 100
    (tmp_path / "config.json").write_text("{}")
    assert row_limit(tmp_path, 100) == 100


def test_counting_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = "import sys, ftkit.workers.data.tokens; print([m for m in ('torch', 'transformers', 'datasets') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
