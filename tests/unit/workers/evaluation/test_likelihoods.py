"""Perplexity against a slow loop: one row at a time, no batch, no padding."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.data.chat import training_row
from ftkit.workers.evaluation.likelihoods import each_nll
from ftkit.workers.evaluation.prepared import Prepared, prepare_rows
from ftkit.workers.loading import load_model, load_tokenizer, quiet_peft
from ftkit.workers.training.rows import FastTokenizer, tokenise
from tests.tiny import VOCABULARY, make_tiny_model, make_tiny_t5
from tests.unit.workers.runs import MAPPING, SHORT, no_run, rows

pytestmark = [
    pytest.mark.training,
    # TRL and transformers about their own names.
    pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning"),
    pytest.mark.filterwarnings(
        "ignore:fan_in_fan_out is set to False:UserWarning"
    ),  # PEFT mends it for GPT-2
]

WITHIN = 1e-4
KINDS = ("gpt2", "llama")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def decoder(kind: str) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = AutoConfig.for_model(
        kind, vocab_size=VOCABULARY, max_position_embeddings=512, pad_token_id=2, **size
    )
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():  # small weights find all tokens alike, whatever went before
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6)
    model.loss_type = "ForCausalLM"
    return model


def prepared(folder: Path) -> list[Prepared]:
    found, left_out = prepare_rows(rows(11), MAPPING, FastTokenizer(folder), 512)
    assert not left_out
    assert len({row.size for row in found}) > 3, "rows of many lengths"
    return found


@torch.no_grad()
def slow_nll(model: Any, row: Prepared) -> float:
    """The sum over the scored tokens, from one row alone."""
    if row.source:
        labels = torch.tensor([row.ids])
        scores = model(input_ids=torch.tensor([row.source]), labels=labels).logits[0]
        places = range(len(row.ids))
    else:
        scores = model(input_ids=torch.tensor([row.ids])).logits[0][:-1]
        scores = torch.cat([scores[:1], scores])  # the place before a token predicts it
        places = range(row.start, len(row.ids))
    chances = torch.log_softmax(scores.double(), dim=-1)
    return -sum(float(chances[place, row.ids[place]]) for place in places)


def slow_perplexity(model: Any, found: Sequence[Prepared]) -> float:
    total = sum(slow_nll(model, row) for row in found)
    return math.exp(total / sum(len(row.ids) - row.start for row in found))


def perplexity(model: Any, tokenizer: Any, found: Sequence[Prepared]) -> float:
    total = sum(nll for batch in each_nll(model, tokenizer, found) for _, nll in batch)
    return math.exp(total / sum(len(row.ids) - row.start for row in found))


@pytest.mark.parametrize("kind", KINDS)
def test_left_padded_batches_have_the_perplexity_of_the_slow_loop(kind: str, folder: Path) -> None:
    model, found = decoder(kind), prepared(folder)
    assert perplexity(model, load_tokenizer(folder), found) == pytest.approx(
        slow_perplexity(model, found), rel=WITHIN
    )


def test_padded_batches_of_an_encoder_decoder_have_the_perplexity_of_the_slow_loop(tmp_path: Path) -> None:
    folder = make_tiny_t5(tmp_path / "t5")
    model, found = load_model(folder, torch.float32), prepared(folder)
    assert perplexity(model, load_tokenizer(folder), found) == pytest.approx(
        slow_perplexity(model, found), rel=WITHIN
    )


def trainer(kind: str, folder: Path, out: Path, *, fast: bool = False, **values: Any) -> Any:
    """A trainer over the rows, its adapter still without effect."""
    from datasets import Dataset

    from ftkit.training.spec import RunSpec
    from ftkit.workers.training.arguments import adapter_config, training_arguments
    from ftkit.workers.training.fast.batches import FastCollator
    from ftkit.workers.training.trainer import FastTrainer, RunTrainer, use_fast_attention

    spec = RunSpec.parse({**SHORT, **values})
    encode, model = FastTokenizer(folder), decoder(kind)
    data = Dataset.from_list([tokenise(training_row(row, MAPPING), encode)._asdict() for row in rows(11)])
    if fast:
        use_fast_attention(model, narrow=False)
    make = FastTrainer if fast else RunTrainer
    with quiet_peft():
        return make(
            model=model,
            args=training_arguments(spec, out, validates=True, fast=fast, bf16=False),
            train_dataset=data,
            eval_dataset=data,
            processing_class=load_tokenizer(folder),
            peft_config=adapter_config(spec),
            data_collator=FastCollator(True) if fast else None,
            interrupted=lambda: None,
            keeping=no_run(),
        )


@pytest.mark.parametrize("kind", KINDS)
def test_padded_batches_of_a_validation_have_the_perplexity_of_the_slow_loop(
    kind: str, folder: Path, tmp_path: Path
) -> None:
    loss = trainer(kind, folder, tmp_path).evaluate()["eval_loss"]
    assert math.exp(loss) == pytest.approx(slow_perplexity(decoder(kind), prepared(folder)), rel=WITHIN)


def test_rows_joined_by_the_fast_path_have_the_perplexity_of_the_slow_loop(
    folder: Path, tmp_path: Path
) -> None:
    loss = trainer("llama", folder, tmp_path, fast=True).evaluate()["eval_loss"]
    assert math.exp(loss) == pytest.approx(slow_perplexity(decoder("llama"), prepared(folder)), rel=WITHIN)


@pytest.mark.parametrize("kind", KINDS)
def test_packed_blocks_have_the_perplexity_of_the_slow_loop(kind: str, folder: Path, tmp_path: Path) -> None:
    packed = trainer(kind, folder, tmp_path, packing=True, max_length=512)
    packed.model.eval()
    loss, tokens, blocks = 0.0, 0, 0
    for batch in packed.get_train_dataloader():
        resets = (batch["position_ids"] == 0).sum()
        blocks += int(resets)
        with torch.no_grad():
            summed = packed._summed(batch)
        loss, tokens = loss + float(summed.loss), tokens + summed.tokens
    assert blocks == len(rows(11)), "each row begins at place 0 of its own"
    assert math.exp(loss / tokens) == pytest.approx(
        slow_perplexity(decoder(kind), prepared(folder)), rel=WITHIN
    )
