"""Attention row by row over a batch of ``FastCollator``: no token computes a score that its row does not need.

Takes query, key and value of the whole sequence, gives the attention output. Everything is built from PyTorch's own
differentiable operations. Causal attention without dropout, window or scores added to it only.
"""

from functools import lru_cache
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from ftkit.workers.training.fast.batches import Layout

NAME = "ftkit_rows"


def register() -> None:
    """Make the attention known to transformers under ``NAME``."""
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, _no_mask)


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,  # noqa: ARG001 - the signature of transformers
    scaling: float | None = None,
    layout: Layout | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention output [1, tokens, heads, width] of query [1, heads, tokens, width] with key and value alike.

    Args:
        module: the attention layer; its ``num_key_value_groups`` query heads share a key head.
        query: rotated queries.
        key: rotated keys.
        value: values.
        attention_mask: not used: the layout says who sees whom.
        scaling: factor of the scores.
        layout: where the rows lie.
    """
    assert layout is not None, "this attention serves FastTrainer only"  # noqa: S101
    groups = int(module.num_key_value_groups)  # type: ignore[arg-type]  # torch types every attribute of a module
    parts = [layout.shared, *layout.lengths]
    # split() has one concatenation as its backward; slices would each need a zero-filled gradient of full size.
    queries = query.split(parts, 2)  # type: ignore[no-untyped-call]
    keys = key.repeat_interleave(groups, 1).split(parts, 2)  # type: ignore[no-untyped-call]
    values = value.repeat_interleave(groups, 1).split(parts, 2)  # type: ignore[no-untyped-call]
    out = []
    if layout.shared:
        out.append(
            scaled_dot_product_attention(queries[0], keys[0], values[0], is_causal=True, scale=scaling)
        )
    for own_query, own_key, own_value in zip(queries[1:], keys[1:], values[1:], strict=True):
        if not layout.shared:
            out.append(
                scaled_dot_product_attention(own_query, own_key, own_value, is_causal=True, scale=scaling)
            )
            continue
        out.append(
            scaled_dot_product_attention(
                own_query,
                torch.cat([keys[0], own_key], 2),
                torch.cat([values[0], own_value], 2),
                attn_mask=_sees(layout.shared, own_query.shape[2]),
                scale=scaling,
            )
        )
    return torch.cat(out, 2).transpose(1, 2), None


@lru_cache(maxsize=512)
def _sees(shared: int, own: int) -> torch.Tensor:
    """Which token sees which: all of the shared ones, and the own ones up to itself."""
    return torch.ones(own, shared + own, dtype=torch.bool).tril(shared)


def _no_mask(*_: Any, **__: Any) -> None:
    """No mask for the whole sequence: the layout says who sees whom."""
