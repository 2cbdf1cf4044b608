"""The norm by root mean square as one differentiable operation that keeps nothing but its input and one number per token.

Takes hidden states in the numbers of sums, gives them in the numbers of products: rounded once, for all layers that read them.
Its weight is frozen. With r = 1/√(mean(x²) + ε), y = w·x·r and g = w·dy: dx = r·g - x·r³·mean(g·x).
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from ftkit.workers.training.fast.numbers import as_they_come, product_type, sum_type


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        kind = product_type(x)
        with as_they_come():
            wide = x.to(sum_type(x))
            shrink = wide.square().mean(-1, keepdim=True).add_(epsilon).rsqrt_()
            out = (wide * shrink).mul_(weight).to(kind)
        ctx.save_for_backward(x, weight, shrink)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        x, weight, shrink = ctx.saved_tensors
        with as_they_come():
            wide = x.to(shrink.dtype)
            slope = slope.to(shrink.dtype) * weight
            along = (slope * wide).mean(-1, keepdim=True).mul_(shrink.pow(3))
            x_slope = slope.mul_(shrink).addcmul_(wide, along, value=-1)
        return x_slope.to(x.dtype), None, None


def normed(x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Hidden states [..., width], each divided by its root mean square and multiplied by ``weight`` [width].

    Source: Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.
    """
    out: torch.Tensor = _Norm.apply(x, weight, epsilon)  # type: ignore[no-untyped-call]
    return out
