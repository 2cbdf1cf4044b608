"""Cross entropy of a frozen output layer at labelled positions only, with its gradient made in the same pass.

Takes hidden states, the weight and the labels; gives the summed loss. Where the weight is frozen only the gradient of
the hidden states is needed: (softmax(h·Wᵀ) - one-hot)·W. Making it in the forward pass needs two products instead of
four, and no logits are kept. It knows no softcap, scale or bias of logits: ``FastTrainer`` is not used for those.
"""

from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable

from ftkit.workers.training.fast.numbers import as_they_come, product_type, sum_type
from ftkit.workers.training.rows import IGNORED

# Positions at a time: their logits over 50 000 tokens take 50 MB.
_CHUNK = 256


class Summed(NamedTuple):
    """Sums over the labelled tokens of a batch; ``right`` is counted where no gradient is made."""

    loss: torch.Tensor
    tokens: int
    right: int


class _FrozenHeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        kind = product_type(hidden)
        weight = weight.to(kind)
        gradient = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        total = hidden.new_zeros((), dtype=sum_type(hidden))
        right = labels.new_zeros(())
        with as_they_come():
            for begin in range(0, hidden.shape[0], _CHUNK):
                part = slice(begin, begin + _CHUNK)
                # In one expression, as each of them takes tens of megabytes that shall be free for the next.
                log_probs = (hidden[part].to(kind) @ weight.T).to(total.dtype).log_softmax(-1)
                wanted = labels[part, None]
                total -= log_probs.gather(1, wanted).sum()
                if gradient is None:
                    right += (log_probs.argmax(-1) == labels[part]).sum()
                else:
                    slope = log_probs.exp_()
                    slope.scatter_add_(1, wanted, slope.new_full(wanted.shape, -1.0))
                    gradient[part] = (slope.to(kind) @ weight).to(gradient.dtype)
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(right)
        return total, right

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: torch.Tensor, _: None) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * slope.to(gradient.dtype), None, None


def summed(hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, sources: torch.Tensor) -> Summed:
    """Negative log likelihood over the labelled tokens, and how many of them are predicted right.

    Args:
        hidden: last hidden states [tokens, width].
        weight: of the output layer [vocabulary, width]; it gets no gradient.
        labels: token ids, or ``IGNORED``.
        sources: for each label, the place in ``hidden`` that predicts it.
    """
    labelled = labels != IGNORED
    wanted = labels[labelled]
    loss, right = _FrozenHeadLoss.apply(hidden[sources[labelled]], weight, wanted)  # type: ignore[no-untyped-call]
    return Summed(loss, int(wanted.numel()), int(right))
