"""How likely a model finds the scored tokens of prepared rows.

Takes a loaded model and rows in tokens, gives one negative log-likelihood a row. It generates nothing.
"""

import inspect
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from ftkit.errors import WorkerFault
from ftkit.workers.evaluation.prepared import Prepared
from ftkit.workers.generation import batches, left_padded, right_padded
from ftkit.workers.training.rows import IGNORED

_SCORED_AT_ONCE = 2048  # tokens whose scores over the whole vocabulary are in memory together


def each_nll(
    model: Any, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Prepared]
) -> Iterator[list[tuple[int, float]]]:
    """Negative log-likelihood of each row's scored tokens, batch by batch: the row's index in ``rows`` and the sum in nats.

    Raises:
        WorkerFault: a value is not finite.
    """
    for batch in batches([row.size for row in rows], most_tokens=_SCORED_AT_ONCE):
        nlls = _batch_nlls(model, tokenizer, [rows[index] for index in batch])
        if not all(map(math.isfinite, nlls)):
            raise WorkerFault(
                "evaluation.not_finite",
                "The model computes numbers that are not finite. Train again with a lower learning rate.",
            )
        yield list(zip(batch, nlls, strict=True))


@torch.inference_mode()
def _batch_nlls(model: Any, tokenizer: PreTrainedTokenizerBase, rows: list[Prepared]) -> list[float]:
    if model.config.is_encoder_decoder:
        return _answer_nlls(model, tokenizer, rows)
    inputs = left_padded([row.ids for row in rows], tokenizer, model.device)
    scored = [len(row.ids) - row.start for row in rows]
    kept = max(scored) + 1  # the token before the first scored one predicts it
    logits = model(**inputs, **_only_needed(model, inputs["attention_mask"], kept)).logits
    nlls = []
    for line, ids, count in zip(logits, inputs["input_ids"], scored, strict=True):
        each = torch.nn.functional.cross_entropy(
            line[-count - 1 : -1].float(), ids[-count:], reduction="none"
        )
        nlls.append(float(each.double().sum()))
    return nlls


def _answer_nlls(model: Any, tokenizer: PreTrainedTokenizerBase, rows: list[Prepared]) -> list[float]:
    """Of answers that a decoder writes; the model shifts the labels itself and ignores padding among them."""
    asked = right_padded([list(row.source) for row in rows], tokenizer, model.device)
    answers = right_padded([row.ids for row in rows], tokenizer, model.device)
    labels = answers["input_ids"].masked_fill(answers["attention_mask"] == 0, IGNORED)
    logits = model(**asked, labels=labels).logits
    each = torch.nn.functional.cross_entropy(
        logits.float().transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
    )
    return [float(nll) for nll in each.double().sum(1)]


def _only_needed(model: Any, mask: torch.Tensor, kept: int) -> dict[str, Any]:
    """Logits of the last places only, and true positions behind left padding, where the architecture takes them."""
    taken = inspect.signature(getattr(model, "get_base_model", lambda: model)().forward).parameters
    offered = {"logits_to_keep": kept, "position_ids": (mask.cumsum(-1) - 1).clamp_min(0)}
    return {name: value for name, value in offered.items() if name in taken}
