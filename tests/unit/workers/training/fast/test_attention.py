from types import SimpleNamespace

import pytest
import torch

from ftkit.workers.training.fast.attention import attend
from ftkit.workers.training.fast.batches import Layout

HEADS, GROUPS, WIDTH = 4, 2, 8


def _by_hand(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Each row on its own, with the softmax written out."""
    out = torch.empty_like(query)
    begin = layout.shared
    for length in layout.lengths or (0,):
        places = [*range(layout.shared), *range(begin, begin + length)]
        q, k, v = query[:, :, places], key[:, :, places], value[:, :, places]
        k, v = k.repeat_interleave(GROUPS, 1), v.repeat_interleave(GROUPS, 1)
        scores = (q @ k.transpose(2, 3)) * 0.3
        hidden = torch.ones(len(places), len(places), dtype=torch.bool).triu(1)
        out[:, :, places] = scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v
        begin += length
    return out.transpose(1, 2)


@pytest.mark.parametrize(
    "layout", [Layout(0, (5,)), Layout(0, (3, 1, 4)), Layout(3, (2, 5, 1)), Layout(1, (1, 1))]
)
def test_rows_see_themselves_and_the_shared_beginning_only(layout: Layout) -> None:
    make = torch.Generator().manual_seed(1)
    tokens = layout.shared + sum(layout.lengths)
    shapes = [(1, heads, tokens, WIDTH) for heads in (HEADS, HEADS // GROUPS, HEADS // GROUPS)]
    inputs = [torch.randn(shape, generator=make, dtype=torch.float64, requires_grad=True) for shape in shapes]
    module = SimpleNamespace(num_key_value_groups=GROUPS)
    out, _ = attend(module, *inputs, None, scaling=0.3, layout=layout)
    slope = torch.randn(out.shape, generator=make, dtype=torch.float64)
    found = torch.autograd.grad(out, inputs, slope)
    wanted_out = _by_hand(*inputs, layout)
    wanted = torch.autograd.grad(wanted_out, inputs, slope)
    torch.testing.assert_close(out, wanted_out)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)
