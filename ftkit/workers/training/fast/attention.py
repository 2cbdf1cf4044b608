"""Attention row by row over a batch of ``FastCollator``, with rotary positions, as one differentiable operation.

Takes query, key and value of the whole sequence side by side, gives the attention output. No token computes a score that its row does
not need, scores are kept for no layer but made anew for the gradient, and heads that share a key are multiplied together. Scores and
their softmax are made in 32 bits, other products in the numbers of the input. Causal attention without dropout, window or bias only.
With P = softmax(s·q·kᵀ) and the slope g of P·v: dv = Pᵀ·g, dS = P·(g·vᵀ - Σ P·(g·vᵀ)), dq = s·dS·k, dk = s·dSᵀ·q.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from ftkit.workers.training.fast.batches import Layout
from ftkit.workers.training.fast.numbers import as_they_come, products_in, sum_type

NAME = "ftkit_rows"
# Queries at a time: bounds the scores of a long row, and leaves out most of those that look ahead.
_QUERIES = 256
_LATER = torch.ones(_QUERIES, _QUERIES, dtype=torch.bool).triu(1)


class Heads(NamedTuple):
    """How a token's numbers are divided: ``queries`` heads and ``keys`` heads of ``width`` numbers, scores times ``scale``."""

    queries: int
    keys: int
    width: int
    scale: float


class Angles(NamedTuple):
    """The rotary positions of a batch, made once for all layers.

    Attributes:
        cos: [tokens, heads of a key, width].
        sin: of one half, as the other is equal [tokens, heads of a key, width / 2].
    """

    cos: torch.Tensor
    sin: torch.Tensor

    @classmethod
    def of(cls, cos: torch.Tensor, sin: torch.Tensor, heads: Heads) -> "Angles":
        """From those of transformers [tokens, width]; a product of equal shapes takes half the time."""
        shared_by = heads.queries // heads.keys
        half = sin[:, None, : heads.width // 2]
        return cls(cos[:, None].repeat(1, shared_by, 1), half.repeat(1, shared_by, 1))


class _Block(NamedTuple):
    """Queries of one row, and the places of the keys that they see among those that ``_seen_places`` names."""

    queries: slice
    keys: slice


def register() -> None:
    """Make the name known to transformers, which then makes no mask for the whole sequence."""
    AttentionInterface.register(NAME, _not_called)
    AttentionMaskInterface.register(NAME, _no_mask)


def attend(joined: torch.Tensor, angles: Angles, layout: Layout, heads: Heads) -> torch.Tensor:
    """Attention output [tokens, query heads · width].

    Args:
        joined: query, key and value of each token [tokens, (query heads + 2 · key heads) · width], not yet rotated.
        angles: of each token.
        layout: where the rows lie.
        heads: how the numbers of a token are divided.

    Sources: Vaswani et al., Attention Is All You Need, 2017; Su et al., RoFormer, 2021.
    """
    out: torch.Tensor = _Attention.apply(joined, *angles, layout, heads)  # type: ignore[no-untyped-call]
    return out


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913 - one of them is torch's own
        ctx: Any, joined: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, layout: Layout, heads: Heads
    ) -> torch.Tensor:
        out = joined.new_empty(len(joined), heads.queries * heads.width)
        by_key = _by_key(out, heads)
        with as_they_come(), products_in(joined.dtype):
            query, key, value = _apart(joined, Angles(cos, sin), heads)
            places = _seen_places(layout)
            key, value = key[:, places], value[:, places]
            for block in _blocks(layout):
                made = torch.bmm(_weights(query, key, block), value[:, block.keys])
                by_key[:, block.queries] = made.view(by_key[:, block.queries].shape)
        ctx.save_for_backward(joined, cos, sin)
        ctx.layout, ctx.heads = layout, heads
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, slope: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        joined, *angles = ctx.saved_tensors
        with as_they_come(), products_in(joined.dtype):
            query, all_keys, all_values = _apart(joined, Angles(*angles), ctx.heads)
            places = _seen_places(ctx.layout)
            key, value = all_keys[:, places], all_values[:, places]
            slopes = _by_key(slope, ctx.heads).to(query.dtype, memory_format=torch.contiguous_format)
            query_slope = torch.empty_like(query)
            key_slope, value_slope = torch.zeros_like(key), torch.zeros_like(value)
            for block in _blocks(ctx.layout):
                weights = _weights(query, key, block)
                out_slope = slopes[:, block.queries].flatten(1, 2)
                value_slope[:, block.keys] += torch.bmm(weights.transpose(1, 2), out_slope)
                score_slope = torch.bmm(out_slope, value[:, block.keys].transpose(1, 2)).mul_(weights)
                score_slope.addcmul_(weights, score_slope.sum(-1, keepdim=True), value=-1)
                made = torch.bmm(score_slope, key[:, block.keys])
                query_slope[:, block.queries] = made.view(query_slope[:, block.queries].shape)
                asked = query[:, block.queries].flatten(1, 2)
                key_slope[:, block.keys] += torch.bmm(score_slope.transpose(1, 2), asked)
            slopes_of = [
                torch.zeros_like(all_keys).index_add_(1, places, one) for one in (key_slope, value_slope)
            ]
            joined_slope = _together(
                query_slope, *slopes_of, angles=Angles(*angles), heads=ctx.heads, joined=joined
            )
        return joined_slope, None, None, None, None


@lru_cache(maxsize=4)
def _seen_places(layout: Layout) -> torch.Tensor:
    """Which token lies at each place where the shared beginning stands before each row, so that what a row sees is one slice."""
    begin = layout.shared
    places = [*range(begin)]
    for length in layout.lengths:
        places += [*range(layout.shared), *range(begin, begin + length)]
        begin += length
    return torch.tensor(places)


def _blocks(layout: Layout) -> Iterator[_Block]:
    begin = seen_begin = 0
    for number, length in enumerate((layout.shared, *layout.lengths)):
        before = layout.shared if number else 0
        for first in range(0, length, _QUERIES):
            last = min(first + _QUERIES, length)
            yield _Block(slice(begin + first, begin + last), slice(seen_begin, seen_begin + before + last))
        begin += length
        seen_begin += before + length


def _weights(query: torch.Tensor, key: torch.Tensor, block: _Block) -> torch.Tensor:
    """How much each query looks at each key that it sees [key heads, queries · heads of a key, keys]."""
    asked = query[:, block.queries]
    groups, length, shared_by, _ = asked.shape
    scores = torch.bmm(asked.flatten(1, 2), key[:, block.keys].transpose(1, 2))
    later = _LATER[:length, None, :length].expand(length, shared_by, length)
    scores.view(groups, length, shared_by, -1)[..., -length:].masked_fill_(later, -torch.inf)
    return scores.softmax(-1)


def _by_key(tokens: torch.Tensor, heads: Heads) -> torch.Tensor:
    """A view of [tokens, heads · width] as [key heads, tokens, heads of a key, width]."""
    return tokens.view(len(tokens), heads.keys, -1, heads.width).transpose(0, 1)


def _apart(
    joined: torch.Tensor, angles: Angles, heads: Heads
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rotated and scaled queries [key heads, tokens, heads of a key, width], rotated keys and values [key heads, tokens, width]."""
    query, key, value = (part.to(sum_type(joined)) for part in _parts(joined, heads))
    rotated_key = _rotate(key, angles).squeeze(2)
    return _rotate(query, angles).mul_(heads.scale), rotated_key, value.squeeze(2)


def _together(  # noqa: PLR0913 - the parts of one operation
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    angles: Angles,
    heads: Heads,
    joined: torch.Tensor,
) -> torch.Tensor:
    """The slope of what ``_apart`` took, from those of what it gave."""
    out = torch.empty_like(joined)
    back = Angles(angles.cos, -angles.sin)
    into_query, into_key, into_value = _parts(out, heads)
    into_query.copy_(_rotate(query.mul_(heads.scale), back))
    into_key.copy_(_rotate(key[:, :, None], back))
    into_value.copy_(value[:, :, None])
    return out


def _parts(joined: torch.Tensor, heads: Heads) -> list[torch.Tensor]:
    """Views of query, key and value by key."""
    sizes = [heads.queries * heads.width, heads.keys * heads.width, heads.keys * heads.width]
    return [_by_key(part, heads) for part in torch.split(joined, sizes, -1)]


def _rotate(x: torch.Tensor, angles: Angles) -> torch.Tensor:
    """Each pair (i, i + width/2) of [key heads, tokens, heads, width] turned by the angle of its token; with -sin, turned back."""
    heads, half = x.shape[2], x.shape[3] // 2
    sin = angles.sin[:, :heads].to(x.dtype)
    out = x * angles.cos[:, :heads].to(x.dtype)
    out[..., :half].addcmul_(x[..., half:], sin, value=-1)
    out[..., half:].addcmul_(x[..., :half], sin)
    return out


def _not_called(*_: Any, **__: Any) -> Any:
    raise AssertionError("layers that are not replaced know no rows")


def _no_mask(*_: Any, **__: Any) -> None:
    """No mask for the whole sequence: the layout says who sees whom."""
