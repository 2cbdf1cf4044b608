import pytest
import torch
from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

from ftkit.workers.training.fast import attention
from ftkit.workers.training.fast.attention import Angles, Heads, attend
from ftkit.workers.training.fast.batches import Layout

HEADS = Heads(queries=4, keys=2, width=8, scale=0.3)
LAYOUTS = [Layout(0, (5,)), Layout(0, (3, 1, 4)), Layout(3, (2, 5, 1)), Layout(1, (1, 1))]


def _case(layout: Layout, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What attention reads, with the angles of each token in its row."""
    make = torch.Generator().manual_seed(1)
    places = [*range(layout.shared)] + [layout.shared + n for one in layout.lengths for n in range(one)]
    angles = torch.tensor(places, dtype=dtype)[:, None] * torch.rand(4, generator=make, dtype=dtype)
    angles = torch.cat([angles, angles], -1)
    joined = torch.randn(len(places), 8 * 8, generator=make, dtype=dtype, requires_grad=True)
    return joined, angles.cos(), angles.sin()


def _by_hand(joined: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Each row on its own, with the softmax written out."""
    query, key, value = joined.view(1, len(joined), -1, 8).transpose(1, 2).split([4, 2, 2], 1)
    query, key = apply_rotary_pos_emb(query, key, cos[None], sin[None])
    out = torch.empty_like(query)
    begin = layout.shared
    for length in layout.lengths:
        places = [*range(layout.shared), *range(begin, begin + length)]
        q, k, v = query[:, :, places], key[:, :, places], value[:, :, places]
        k, v = k.repeat_interleave(2, 1), v.repeat_interleave(2, 1)
        scores = (q @ k.transpose(2, 3)) * HEADS.scale
        hidden = torch.ones(len(places), len(places), dtype=torch.bool).triu(1)
        out[:, :, places] = scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v
        begin += length
    return out.transpose(1, 2).flatten(2)[0]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("queries", [2, 256], ids=["in blocks", "whole rows"])
def test_rows_see_themselves_and_the_shared_beginning_only(
    layout: Layout, queries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "_QUERIES", queries)
    joined, cos, sin = _case(layout, torch.float64)
    slope = torch.randn(len(joined), 32, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    out, wanted = (
        attend(joined, Angles.of(cos, sin, HEADS), layout, HEADS),
        _by_hand(joined, cos, sin, layout),
    )
    torch.testing.assert_close(out, wanted)
    found = torch.autograd.grad(out, joined, slope)[0]
    torch.testing.assert_close(found, torch.autograd.grad(wanted, joined, slope)[0])


def test_the_gradient_is_the_numerical_one() -> None:
    layout = Layout(2, (2, 3))
    joined, cos, sin = _case(layout, torch.float64)
    assert torch.autograd.gradcheck(
        lambda joined: attend(joined, Angles.of(cos, sin, HEADS), layout, HEADS), (joined,)
    )


def test_in_16_bits_it_is_as_near_to_the_truth_as_pytorch_is() -> None:
    layout = Layout(0, (300,))
    exact, cos, sin = _case(layout, torch.float64)
    slope = torch.randn(300, 32, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    true_out = _by_hand(exact, cos, sin, layout)
    true_slope = torch.autograd.grad(true_out, exact, slope)[0]
    narrow = exact.detach().to(torch.bfloat16).requires_grad_()
    out = attend(narrow, Angles.of(cos.float(), sin.float(), HEADS), layout, HEADS)
    found = torch.autograd.grad(out, narrow, slope.to(torch.bfloat16))[0]

    query, key, value = narrow.view(1, 300, -1, 8).transpose(1, 2).split([4, 2, 2], 1)
    query, key = apply_rotary_pos_emb(query, key, cos.float()[None], sin.float()[None])
    pytorchs_out = torch.nn.functional.scaled_dot_product_attention(
        query.to(torch.bfloat16), key.to(torch.bfloat16), value, is_causal=True, scale=0.3, enable_gqa=True
    )
    pytorchs_out = pytorchs_out.transpose(1, 2).flatten(2)[0]
    pytorchs = torch.autograd.grad(pytorchs_out, narrow, slope.to(torch.bfloat16))[0]

    def error(one: torch.Tensor, true: torch.Tensor) -> float:
        return float((one.detach().double() - true.detach()).norm() / true.detach().norm())

    assert out.dtype == torch.bfloat16
    assert error(out, true_out) < 1.1 * error(pytorchs_out, true_out) < 0.01
    assert error(found, true_slope) < 1.1 * error(pytorchs, true_slope) < 0.02
