"""A frozen linear layer with a LoRA adapter as one differentiable operation, in place of the eight that PEFT makes of it.

Takes a PEFT model, gives its LoRA layers another forward for training. With y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ and the slope g of y:
dx = g·W + s·(g·B)·A, dA = s·(g·B)ᵀ·x, dB = s·gᵀ·(x·Aᵀ). Input and output are kept once, in the numbers that the products are
made in. It knows no dropout, bias of the adapter, DoRA or quantised weights; where those are asked for, layers stay as they are.
"""

from collections.abc import Callable
from typing import Any

import torch
from peft.tuners.lora.layer import Linear as LoraLayer
from torch.autograd.function import once_differentiable


class _LoraLinear(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913 - what one layer holds
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        kind = _kind(x)
        with torch.autocast("cpu", enabled=False):
            flat = x.reshape(-1, x.shape[-1]).to(kind)
            narrow_down, narrow_up, weight = down.to(kind), up.to(kind), weight.to(kind)
            inner = flat @ narrow_down.T
            out = torch.nn.functional.linear(flat, weight, None if bias is None else bias.to(kind))
            out.addmm_(inner, narrow_up.T, alpha=scale)
        ctx.save_for_backward(flat, weight, narrow_down, narrow_up, inner)
        ctx.scale, ctx.like = scale, (x.shape, x.dtype, down.dtype)
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, slope: torch.Tensor
    ) -> tuple[torch.Tensor | None, None, None, torch.Tensor, torch.Tensor, None]:
        flat, weight, down, up, inner = ctx.saved_tensors
        shape, dtype, adapter_dtype = ctx.like
        slope = slope.reshape(-1, slope.shape[-1])
        inner_slope = (slope @ up).mul_(ctx.scale)
        x_slope = None
        if ctx.needs_input_grad[0]:
            x_slope = (slope @ weight).addmm_(inner_slope, down).view(shape).to(dtype)
        down_slope = (inner_slope.T @ flat).to(adapter_dtype)
        up_slope = (slope.T @ inner).mul_(ctx.scale).to(adapter_dtype)
        return x_slope, None, None, down_slope, up_slope, None


def use_fast_layers(model: Any) -> None:
    """Let every LoRA layer that fits compute as one operation while it is trained.

    Args:
        model: with one adapter. Answers, and whatever needs no gradient, are computed by PEFT as before.
    """
    for layer in model.modules():
        if isinstance(layer, LoraLayer) and _fits(layer):
            layer.forward = _forward(layer)  # type: ignore[method-assign]  # of this layer alone


def _fits(layer: LoraLayer) -> bool:
    (name,) = layer.active_adapters
    return (
        isinstance(layer.get_base_layer(), torch.nn.Linear)
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and not layer.lora_variant
        and not layer.lora_bias[name]
    )


def _forward(layer: LoraLayer) -> Callable[..., torch.Tensor]:
    (name,) = layer.active_adapters
    by_peft: Callable[..., torch.Tensor] = layer.forward

    def forward(x: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
        if args or more or layer.disable_adapters or layer.merged or not torch.is_grad_enabled():
            return by_peft(x, *args, **more)
        base = layer.get_base_layer()
        down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
        made: torch.Tensor = _LoraLinear.apply(x, base.weight, base.bias, down, up, layer.scaling[name])  # type: ignore[no-untyped-call]
        return made

    return forward


def _kind(x: torch.Tensor) -> torch.dtype:
    """What products are made in: as autocast says, else as the input comes."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
