"""The layers of a Llama or Qwen model with an adapter, made to compute by the fast operations.

Takes a PEFT model, gives its norms, attention and feed-forward layers another forward. Whatever is asked without a layout, an answer
for example, is computed by transformers as before. It changes no weight.
"""

from collections.abc import Callable
from typing import Any

import torch

from ftkit.workers.training.fast.attention import Angles, Heads, attend
from ftkit.workers.training.fast.batches import Layout
from ftkit.workers.training.fast.linear import Projection
from ftkit.workers.training.fast.norm import normed

_Forward = Callable[..., Any]


def use_fast_layers(model: Any) -> None:
    """Let the decoder of a PEFT model compute rows of a ``Layout``.

    Args:
        model: of an architecture that ``fits_fast_path`` knows, its own weights frozen.
    """
    angles = _AnglesOfBatch()
    for layer in model.get_base_model().base_model.layers:
        for norm in (layer.input_layernorm, layer.post_attention_layernorm):
            norm.forward = _norm(norm)
        layer.self_attn.forward = _attention(layer.self_attn, angles)
        layer.mlp.forward = _feed_forward(layer.mlp)


def _norm(norm: Any) -> _Forward:
    def forward(x: torch.Tensor) -> torch.Tensor:
        return normed(x, norm.weight, norm.variance_epsilon)

    return forward


class _AnglesOfBatch:
    """The angles of the batch that was seen last: each layer asks for the same."""

    def __init__(self) -> None:
        self._given: object = None
        self._made: Angles

    def of(self, given: tuple[torch.Tensor, torch.Tensor], heads: Heads) -> Angles:
        if given is not self._given:
            cos, sin = given
            self._given, self._made = given, Angles.of(cos[0], sin[0], heads)
        return self._made


def _attention(attention: Any, angles: _AnglesOfBatch) -> _Forward:
    by_transformers: _Forward = attention.forward
    read = Projection(attention.q_proj, attention.k_proj, attention.v_proj)
    write = Projection(attention.o_proj)
    width = attention.head_dim
    queries = attention.o_proj.in_features // width
    heads = Heads(queries, queries // attention.num_key_value_groups, width, attention.scaling)

    def forward(*args: Any, layout: Layout | None = None, **more: Any) -> tuple[torch.Tensor, None]:
        if layout is None:
            answer: tuple[torch.Tensor, None] = by_transformers(*args, **more)
            return answer
        joined = read(more["hidden_states"][0])
        if hasattr(attention, "q_norm"):
            joined = _with_normed_heads(joined, attention, heads)
        turned = angles.of(more["position_embeddings"], heads)
        return write(attend(joined, turned, layout, heads))[None], None

    return forward


def _with_normed_heads(joined: torch.Tensor, attention: Any, heads: Heads) -> torch.Tensor:
    """Queries and keys normed head by head, as Qwen3 does."""
    by_head = joined.view(len(joined), -1, heads.width)
    query, key, value = torch.split(by_head, [heads.queries, heads.keys, heads.keys], 1)
    parts = [
        normed(part, norm.weight, norm.variance_epsilon)
        for part, norm in ((query, attention.q_norm), (key, attention.k_norm))
    ]
    return torch.cat([*parts, value], 1).flatten(1)


def _feed_forward(block: Any) -> _Forward:
    read = Projection(block.gate_proj, block.up_proj)
    write = Projection(block.down_proj)

    def forward(x: torch.Tensor) -> torch.Tensor:
        return write.gated(read(x))

    return forward
