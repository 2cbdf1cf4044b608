"""What all trainers of runs share, TRL's SFTTrainer with an exact validation loss, and the fast variant of it for the CPU.

Takes models, arguments and token rows as TRL does. ``FastTrainer`` trains the same steps on the same rows with the same
losses; where it does not fit (``fits_fast_path``), ``RunTrainer`` leaves the computing to TRL.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from trl.trainer.sft_trainer import SFTTrainer

from ftkit.errors import BadInput
from ftkit.workers.training.checkpoints.saving import Kept
from ftkit.workers.training.fast import attention
from ftkit.workers.training.fast.layers import use_fast_layers
from ftkit.workers.training.fast.loss import Summed, summed

# Checked against TRL by tests: plain causal attention, logits that are hidden states times the output layer.
_FAST_ARCHITECTURES = frozenset({"llama", "qwen2", "qwen3"})
# A loss that is so small may have no gradient in the numbers of the machine.
_NO_LOSS = 0.1


class Watched(Kept):
    """Counts real tokens of training; stops where the loss is no longer a number. Goes before a trainer of TRL.

    Args:
        interrupted: called between two batches, of training and of a validation; raises to end it.
    """

    def __init__(self, *args: Any, interrupted: Callable[[], None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._interrupted = interrupted
        self.tokens = 0

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        """One batch forwards and backwards.

        Raises:
            BadInput: its loss is not a number.
        """
        self._interrupted()
        self.tokens += self._count(inputs)
        loss: torch.Tensor = super().training_step(model, inputs, *args, **kwargs)
        check_loss(loss.item(), self.state.global_step + 1)
        return loss

    def prediction_step(self, *args: Any, **kwargs: Any) -> Any:
        """One batch of a validation, unless a stop was asked for."""
        self._interrupted()
        return super().prediction_step(*args, **kwargs)

    def _count(self, inputs: dict[str, Any]) -> int:
        """Real tokens of a batch."""
        mask = inputs.get("attention_mask")
        return int(inputs["input_ids"].numel() if mask is None else mask.sum())


class ExactlyValidated(Watched):
    """Has a validation that does not depend on the batch size."""

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Mean loss over all labelled tokens of the validation rows, and the share of them that are predicted right.

        Whatever the batch size; it takes no arguments.
        """
        model: Any = self.model
        model.eval()
        loss, tokens, right = 0.0, 0, 0
        for inputs in self.get_eval_dataloader():
            self._interrupted()
            with torch.no_grad():
                batch = self._summed(self._prepare_inputs(inputs))
            loss += float(batch.loss)
            tokens += batch.tokens
            right += batch.right
        metrics = {"eval_loss": loss / tokens, "eval_mean_token_accuracy": right / tokens}
        self.log(metrics)
        model.train()
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _summed(self, inputs: dict[str, Any]) -> Summed:
        """Loss and hits of a batch, summed over its labelled tokens."""
        raise NotImplementedError


class RunTrainer(ExactlyValidated, SFTTrainer):
    """Plain fine-tuning."""

    def _summed(self, inputs: dict[str, Any]) -> Summed:
        model: Any = self.model
        outputs = model(**inputs, use_cache=False, fused_lm_head=True)
        return Summed(-outputs.log_probs.sum(), int(outputs.label_mask.sum()), int(outputs.is_top1.sum()))


class FastTrainer(RunTrainer):
    """The same steps with batches of ``FastCollator``, attention row by row and the loss at labelled positions only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        use_fast_layers(self.model)
        head = self._causal().get_output_embeddings().weight.detach()
        self._head = head.to(torch.bfloat16) if self.args.bf16 else head  # cast once, not at each step

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Mean loss over the labelled tokens of the step."""
        loss, tokens, _ = self._summed(inputs)
        return loss / (tokens if num_items_in_batch is None else num_items_in_batch)

    def _summed(self, inputs: dict[str, Any]) -> Summed:
        with self.accelerator.autocast():
            hidden = (
                self._causal()
                .base_model(
                    input_ids=inputs["input_ids"],
                    position_ids=inputs["position_ids"],
                    layout=inputs["layout"],
                    use_cache=False,
                )
                .last_hidden_state[0]
            )
            return summed(hidden, self._head, inputs["labels"][0], inputs["sources"][0])

    def _causal(self) -> Any:
        tuned: Any = self.model
        return tuned.get_base_model()

    def _count(self, inputs: dict[str, Any]) -> int:
        return int(inputs["labels"].numel())


def fits_fast_path(model: Any) -> bool:
    """Whether ``FastTrainer`` computes for this model exactly what TRL computes."""
    config = model.config
    head = model.get_output_embeddings()
    return bool(
        model.device.type == "cpu"
        and config.model_type in _FAST_ARCHITECTURES
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
        and not getattr(config, "attention_dropout", 0.0)
        and config.hidden_act == "silu"
        and isinstance(head, torch.nn.Linear)
        and head.bias is None
    )


def use_fast_attention(model: Any, narrow: bool) -> None:
    """Make a model ready for ``FastTrainer``.

    Args:
        model: that will get an adapter; its own weights stay frozen.
        narrow: keep the weights of linear layers in bfloat16, to which autocast would cast them at each use.
    """
    attention.register()
    model.set_attn_implementation(attention.NAME)
    if not narrow:
        return
    head = model.get_output_embeddings()
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            module.to(torch.bfloat16)


def check_loss(loss: float, step: int) -> None:
    """Stop where training went astray.

    Raises:
        BadInput: the loss is not a number, or infinite.
    """
    if not math.isfinite(loss):
        raise BadInput(
            "training.loss_diverged",
            "The loss is {value} at step {step}: training went astray. Lower the learning rate, or check the rows "
            "for unusual texts.",
            value=loss,
            step=step,
        )


def check_gradient(length: float, loss: float, step: int) -> None:
    """Stop where training is about to go astray, or cannot come back.

    Weights that went too far can give numbers again: a norm layer of the model turns what overflows into zeros. Every token
    is then equally likely, and no weight has any influence.

    Raises:
        BadInput: the length of the gradient is not a number, or infinite, or nothing while there is a loss.
    """
    if length == 0 and loss > _NO_LOSS:
        raise BadInput(
            "training.gradient_vanished",
            "The gradient is 0 at step {step} while the loss is {loss}: the weights went so far that nothing can be learned "
            "any more. Lower the learning rate.",
            step=step,
            loss=round(loss, 4),
        )
    if not math.isfinite(length):
        raise BadInput(
            "training.gradient_diverged",
            "The gradient is {value} at step {step}: training went astray. Lower the learning rate, or check the "
            "rows for unusual texts.",
            value=length,
            step=step,
        )
