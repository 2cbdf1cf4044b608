import pytest
import torch
from torch.nn.functional import cross_entropy

from ftkit.workers.training.fast import loss as loss_module
from ftkit.workers.training.fast.loss import summed
from ftkit.workers.training.rows import IGNORED


def _case(tokens: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    make = torch.Generator().manual_seed(3)
    hidden = torch.randn(tokens, 6, generator=make, dtype=dtype, requires_grad=True)
    weight = torch.randn(11, 6, generator=make, dtype=dtype)
    labels = torch.randint(0, 11, (2 * tokens,), generator=make)
    labels[::3] = IGNORED
    sources = torch.randint(0, tokens, (2 * tokens,), generator=make)  # a place may predict several labels
    return hidden, weight, labels, sources


def test_the_gradient_is_the_numerical_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "_CHUNK", 4)
    hidden, weight, labels, sources = _case(9, torch.float64)
    assert torch.autograd.gradcheck(lambda h: summed(h, weight, labels, sources)[0], (hidden,))


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_loss_and_gradient_are_those_of_cross_entropy(factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "_CHUNK", 5)
    hidden, weight, labels, sources = _case(20, torch.float32)
    loss, count, _ = summed(hidden, weight, labels, sources)
    (loss * factor).backward()
    again = hidden.detach().requires_grad_()
    wanted = cross_entropy(again[sources] @ weight.T, labels, ignore_index=IGNORED, reduction="sum")
    (wanted * factor).backward()
    assert count == int((labels != IGNORED).sum())
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(hidden.grad, again.grad)


def test_under_autocast_it_computes_in_16_bits_as_pytorch_does() -> None:
    hidden, weight, labels, sources = _case(20, torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        loss, _, _ = summed(hidden, weight, labels, sources)
        logits = torch.nn.functional.linear(hidden[sources], weight)
    assert logits.dtype == torch.bfloat16
    wanted = cross_entropy(logits.float(), labels, ignore_index=IGNORED, reduction="sum")
    torch.testing.assert_close(loss, wanted, rtol=1e-5, atol=1e-5)


def test_without_labels_the_loss_is_zero_and_so_is_the_gradient() -> None:
    hidden, weight, labels, sources = _case(4, torch.float32)
    loss, count, _ = summed(hidden, weight, torch.full_like(labels, IGNORED), sources)
    loss.backward()
    assert (loss.item(), count) == (0.0, 0)
    assert hidden.grad is not None
    assert not hidden.grad.any()


def test_nothing_is_kept_where_no_gradient_is_wanted() -> None:
    hidden, weight, labels, sources = _case(4, torch.float32)
    with torch.no_grad():
        loss, _, _ = summed(hidden, weight, labels, sources)
    assert not loss.requires_grad


def test_tokens_predicted_right_are_counted_over_all_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_module, "_CHUNK", 3)
    hidden, weight, labels, sources = _case(20, torch.float32)
    likeliest = (hidden[sources] @ weight.T).argmax(-1)
    labels[1:20:3] = likeliest[1:20:3]
    with torch.no_grad():
        right = summed(hidden, weight, labels, sources).right
    assert right == int((likeliest == labels).sum()) >= 7
