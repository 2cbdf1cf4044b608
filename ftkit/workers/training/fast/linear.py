"""Frozen linear layers with LoRA adapters as one differentiable operation, in place of the eight for each that PEFT makes of it.

Layers that read the same input are computed side by side. With y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ and the slope g of y: dx = g·W + s·(g·B)·A,
dA = s·(g·B)ᵀ·x, dB = s·gᵀ·(x·Aᵀ). Input and output are kept once, in the numbers that the products are made in; what a gated layer
reads is made anew for its gradient. It knows no dropout, bias of the adapter, DoRA or quantised weights; where those are asked for,
layers stay as they are.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from peft.tuners.lora.layer import Linear as LoraLayer
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear, silu

from ftkit.workers.training.fast.numbers import as_they_come, product_type


class Frozen(NamedTuple):
    """What is not trained of layers side by side.

    Attributes:
        weight: [outputs of all, inputs].
        bias: [outputs of all], or none.
        sizes: outputs of each.
        scales: of the adapter of each.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    sizes: tuple[int, ...]
    scales: tuple[float, ...]


class Projection:
    """Linear layers of one input, their outputs side by side.

    Args:
        layers: with or without an adapter. Their weights become parts of one, which costs no memory.
    """

    def __init__(self, *layers: Any) -> None:
        self._layers = layers
        self._frozen = _side_by_side(layers) if all(map(_fits, layers)) else None

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs [..., of all layers] of inputs [..., width]."""
        if not self._usable:
            return torch.cat([layer(x) for layer in self._layers], -1)
        made: torch.Tensor = _Linear.apply(x, self._frozen, False, *self._adapters())  # type: ignore[no-untyped-call]
        return made

    def gated(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs for the input silu(gate)·value, of gate and value side by side [..., twice the width]."""
        if not self._usable:
            gate, value = x.chunk(2, -1)
            return self(silu(gate) * value)
        made: torch.Tensor = _Linear.apply(x, self._frozen, True, *self._adapters())  # type: ignore[no-untyped-call]
        return made

    @property
    def _usable(self) -> bool:
        """Whether the one operation is what the layers compute just now: adapters can be switched off."""
        off = (isinstance(one, LoraLayer) and (one.disable_adapters or one.merged) for one in self._layers)
        return self._frozen is not None and not any(off)

    def _adapters(self) -> Iterator[torch.Tensor | None]:
        """A and B of each layer."""
        for layer in self._layers:
            if isinstance(layer, LoraLayer):
                (name,) = layer.active_adapters
                yield from (part[name].get_parameter("weight") for part in (layer.lora_A, layer.lora_B))
            else:
                yield from (None, None)


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, frozen: Frozen, gated: bool, *adapters: torch.Tensor | None
    ) -> torch.Tensor:
        flat = x.reshape(-1, x.shape[-1]).to(product_type(x))
        with as_they_come():
            read = flat
            if gated:
                gate, value = flat.chunk(2, -1)
                read = silu(gate).mul_(value)
            out, kept = _product(read, frozen, adapters)
        ctx.save_for_backward(flat, *kept)
        ctx.frozen, ctx.gated, ctx.shapes, ctx.like = frozen, gated, _shapes(adapters), (x.shape, x.dtype)
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[Any, ...]:
        flat, *kept = ctx.saved_tensors
        shape, dtype = ctx.like
        slope = slope.reshape(-1, slope.shape[-1])
        with as_they_come():
            x_slope, inner_slope = _input_slopes(slope, ctx.frozen, kept, ctx.needs_input_grad[0])
            if not ctx.gated:
                adapter_slopes = _adapter_slopes(slope, flat, kept, inner_slope, ctx)
            else:
                gate, value = flat.chunk(2, -1)
                open_gate = silu(gate)
                adapter_slopes = _adapter_slopes(slope, open_gate * value, kept, inner_slope, ctx)
                if x_slope is not None:
                    value_slope = x_slope * open_gate
                    gate_slope = torch.ops.aten.silu_backward(x_slope.mul_(value), gate)
                    x_slope = torch.cat([gate_slope, value_slope], -1)
        return None if x_slope is None else x_slope.view(shape).to(dtype), None, None, *adapter_slopes


def _product(
    flat: torch.Tensor, frozen: Frozen, adapters: Sequence[torch.Tensor | None]
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Outputs, and what the gradient needs: A of all layers, scaled B of all layers, and what lies between."""
    kind = flat.dtype
    out = linear(flat, frozen.weight.to(kind), None if frozen.bias is None else frozen.bias.to(kind))
    shapes = _shapes(adapters)
    if not shapes:
        return out, []
    down = torch.cat([a for a in adapters[::2] if a is not None]).to(kind)
    up = flat.new_zeros(out.shape[1], down.shape[0])
    for layer, outputs, ranks in _blocks(frozen, shapes):
        b = adapters[2 * layer + 1]
        assert b is not None  # noqa: S101
        up[outputs, ranks] = (b * frozen.scales[layer]).to(kind)
    inner = flat @ down.T
    return out.addmm_(inner, up.T), [down, up, inner]


def _input_slopes(
    slope: torch.Tensor, frozen: Frozen, kept: Sequence[torch.Tensor], needed: bool
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Slopes of the input, where it is needed, and of what lies between A and B."""
    x_slope = slope @ frozen.weight.to(slope.dtype) if needed else None
    if not kept:
        return x_slope, None
    down, up, _ = kept
    inner_slope = slope @ up
    return None if x_slope is None else x_slope.addmm_(inner_slope, down), inner_slope


def _adapter_slopes(
    slope: torch.Tensor,
    flat: torch.Tensor,
    kept: Sequence[torch.Tensor],
    inner_slope: torch.Tensor | None,
    ctx: Any,
) -> list[torch.Tensor | None]:
    """Slopes of A and B of each layer."""
    found: list[torch.Tensor | None] = [None] * (2 * len(ctx.frozen.sizes))
    if inner_slope is None:
        return found
    down_slope = inner_slope.T @ flat
    up_slope = kept[2].T @ slope
    for layer, outputs, ranks in _blocks(ctx.frozen, ctx.shapes):
        _, dtype = ctx.shapes[layer]
        found[2 * layer] = down_slope[ranks].to(dtype)
        found[2 * layer + 1] = up_slope[ranks, outputs].T.to(dtype) * ctx.frozen.scales[layer]
    return found


def _shapes(adapters: Sequence[torch.Tensor | None]) -> dict[int, tuple[int, torch.dtype]]:
    """Rank and type of the adapter of each layer that has one."""
    found = enumerate(adapters[::2])
    return {layer: (a.shape[0], a.dtype) for layer, a in found if a is not None}


def _blocks(frozen: Frozen, shapes: dict[int, tuple[int, torch.dtype]]) -> Iterator[tuple[int, slice, slice]]:
    """Of each layer with an adapter, its number, its outputs among those of all, its ranks among those of all."""
    outputs = ranks = 0
    for layer, size in enumerate(frozen.sizes):
        if layer in shapes:
            rank, _ = shapes[layer]
            yield layer, slice(outputs, outputs + size), slice(ranks, ranks + rank)
            ranks += rank
        outputs += size


def _fits(layer: Any) -> bool:
    if not isinstance(layer, LoraLayer):
        return type(layer) is torch.nn.Linear and not layer.weight.requires_grad
    (name,) = layer.active_adapters
    return (
        type(layer.get_base_layer()) is torch.nn.Linear
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and not layer.lora_variant
        and not layer.lora_bias[name]
    )


def _side_by_side(layers: Sequence[Any]) -> Frozen:
    base: list[Any] = [one.get_base_layer() if isinstance(one, LoraLayer) else one for one in layers]
    weight = torch.cat([one.weight.detach() for one in base])
    sizes = tuple(one.out_features for one in base)
    parts: Sequence[torch.Tensor] = torch.split(weight, list(sizes))
    for one, part in zip(base, parts, strict=True):
        one.weight.data = part
    biases = [weight.new_zeros(one.out_features) if one.bias is None else one.bias.detach() for one in base]
    bias = torch.cat(biases) if any(one.bias is not None for one in base) else None
    return Frozen(weight, bias, sizes, tuple(map(_scale, layers)))


def _scale(layer: Any) -> float:
    return float(layer.scaling[layer.active_adapters[0]]) if isinstance(layer, LoraLayer) else 0.0
