"""The trainer of encoder-decoder models: transformers' Seq2SeqTrainer over rows that are token ids already.

Takes a model of the T5 kind, arguments and rows of ``rows.SourceRow``. It writes no answers while it trains.
"""

from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import (
    DataCollatorForSeq2Seq,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Seq2SeqTrainer,
    set_seed,
)

from ftkit.workers.training.fast.loss import Summed
from ftkit.workers.training.rows import IGNORED
from ftkit.workers.training.trainer import ExactlyValidated


class AnswerTrainer(ExactlyValidated, Seq2SeqTrainer):
    """Learns the tokens of the answers; each labelled token of a step counts alike, however the step is cut in batches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # transformers then counts the labelled tokens of a step, and leaves dividing by them to ``compute_loss``.
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Mean loss over the labelled tokens of the step."""
        loss, tokens, _ = self._read(model, inputs)
        return loss / (tokens if num_items_in_batch is None else num_items_in_batch)

    def _summed(self, inputs: dict[str, Any]) -> Summed:
        with self.accelerator.autocast():
            return self._read(self.model, inputs)

    def _read(self, model: Any, inputs: dict[str, Any]) -> Summed:
        # The collator moved the labels on for the decoder; with them the model would compute a loss of its own.
        labels = inputs["labels"]
        asked = {name: value for name, value in inputs.items() if name != "labels"}
        logits = model(**asked, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        labelled = labels != IGNORED
        right = (logits.detach().argmax(-1) == labels) & labelled
        return Summed(loss, int(labelled.sum()), int(right.sum()))

    def _count(self, inputs: dict[str, Any]) -> int:
        """Real tokens of a batch, of questions and answers."""
        return super()._count(inputs) + int((inputs["labels"] != IGNORED).sum())


def with_adapter(model: PreTrainedModel, config: LoraConfig, quantised: bool, seed: int) -> PeftModel:
    """The model with a fresh adapter to train; TRL, which does this for other models, knows none of this kind."""
    set_seed(seed)  # the trainer does it too, but only once the adapter has its first, random weights
    if quantised:
        # Its parameter is untyped.
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)  # type: ignore[no-untyped-call]
    made: PeftModel = get_peft_model(model, config)
    return made


def collator(tokenizer: PreTrainedTokenizerBase, model: Any) -> DataCollatorForSeq2Seq:
    """Pads questions and answers behind their ends; the decoder's input is the answer moved on by one."""
    tokenizer.padding_side = "right"
    return DataCollatorForSeq2Seq(tokenizer, model=model, label_pad_token_id=IGNORED)
