from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from ftkit.workers.training.fast import linear
from ftkit.workers.training.fast.linear import Projection


class _Layers(torch.nn.Module):
    """Three layers that read the same, and a gated one."""

    def __init__(self, bias: bool) -> None:
        super().__init__()
        self.a, self.b, self.c = (torch.nn.Linear(6, n, bias) for n in (5, 2, 3))
        self.last = torch.nn.Linear(5, 4, not bias)
        self.config = {"model_type": "custom"}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def _model(dtype: torch.dtype, bias: bool = True, targets: str = "a b c last", **options: Any) -> Any:
    torch.manual_seed(0)
    config = LoraConfig(r=3, lora_alpha=5, target_modules=targets.split(), **options)
    model = get_peft_model(_Layers(bias).to(dtype), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    return model.to(dtype)


def _by_peft(model: Any, x: torch.Tensor) -> torch.Tensor:
    return torch.cat([layer(x) for layer in _three(model)], -1)


def _gated_by_peft(model: Any, x: torch.Tensor) -> torch.Tensor:
    gate, value = x.chunk(2, -1)
    return model.base_model.model.last(torch.nn.functional.silu(gate) * value)


def _three(model: Any) -> list[Any]:
    inner = model.base_model.model
    return [inner.a, inner.b, inner.c]


def _values_and_slopes(model: Any, compute: Any, x: torch.Tensor) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    out = compute(x)
    out.square().sum().backward()
    slopes = [p.grad for p in model.parameters() if p.requires_grad and p.grad is not None]
    model.zero_grad()
    return [out.detach(), x.grad, *slopes]


@pytest.mark.parametrize("targets", ["a b c last", "a c last", "b"])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_peft(bias: bool, targets: str) -> None:
    model = _model(torch.float64, bias, targets)
    three, last = torch.randn(2, 7, 6, dtype=torch.float64), torch.randn(2, 7, 10, dtype=torch.float64)
    wanted = _values_and_slopes(model, lambda x: _by_peft(model, x), three)
    wanted_gated = _values_and_slopes(model, lambda x: _gated_by_peft(model, x), last)
    side_by_side, gated = Projection(*_three(model)), Projection(model.base_model.model.last)
    assert "_Linear" in str(side_by_side(three.clone().requires_grad_()).grad_fn)
    for found, all_wanted in (
        (_values_and_slopes(model, side_by_side, three), wanted),
        (_values_and_slopes(model, gated.gated, last), wanted_gated),
        (
            _values_and_slopes(model, lambda x: _by_peft(model, x), three),
            wanted,
        ),  # weights are what they were
    ):
        assert len(found) == len(all_wanted) > 2 or "last" not in targets
        for one, other in zip(found, all_wanted, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("gated", "width"), [(False, 6), (True, 12)])
def test_the_gradient_is_the_numerical_one(gated: bool, width: int) -> None:
    make = torch.Generator().manual_seed(1)
    x, weight, bias, down, up, other_down, other_up = (
        torch.randn(shape, generator=make, dtype=torch.float64, requires_grad=True)
        for shape in ((2, 3, width), (5, 6), (5,), (3, 6), (2, 3), (1, 6), (3, 1))
    )
    frozen = linear.Frozen(weight.detach(), bias.detach(), (2, 3), (0.7, 1.5))
    assert torch.autograd.gradcheck(
        lambda *given: linear._Linear.apply(given[0], frozen, gated, *given[1:]),
        (x, down, up, other_down, other_up),
    )
    assert torch.autograd.gradcheck(
        lambda *given: linear._Linear.apply(given[0], frozen, gated, None, None, *given[1:]),
        (x, other_down, other_up),
    )


def test_weights_side_by_side_take_no_more_memory() -> None:
    model = _model(torch.float32)
    Projection(*_three(model))
    assert len({layer.get_base_layer().weight.untyped_storage().data_ptr() for layer in _three(model)}) == 1


def test_in_16_bits_it_is_as_near_to_the_truth_as_peft_is() -> None:
    model, exact = _model(torch.float32, bias=False), _model(torch.float64, bias=False)
    x = torch.randn(64, 6)
    truth = _values_and_slopes(exact, lambda x: _by_peft(exact, x), x.double())
    projection = Projection(*_three(model))
    with torch.autocast("cpu", torch.bfloat16):
        by_peft = _values_and_slopes(model, lambda x: _by_peft(model, x), x)
        found = _values_and_slopes(model, projection, x)
    assert found[0].dtype == torch.bfloat16
    assert all(slope.dtype == torch.float32 for slope in found[1:])
    for one, other, true in zip(found, by_peft, truth, strict=True):
        assert (one - true).norm() < 2 * (other - true).norm()
        assert (one - true).norm() < 0.01 * true.norm()


@pytest.mark.parametrize("options", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}])
def test_layers_of_another_kind_stay_as_they_are(options: dict[str, Any]) -> None:
    targets = "a b c" if "lora_bias" in options else "a b c last"  # the last one has no bias here
    model = _model(torch.float32, targets=targets, **options).eval()
    three, last = torch.randn(4, 6), torch.randn(4, 10)
    wanted, wanted_gated = _by_peft(model, three), _gated_by_peft(model, last)
    out = Projection(*_three(model))(three)
    assert "_Linear" not in str(out.grad_fn)
    torch.testing.assert_close(out, wanted)
    torch.testing.assert_close(Projection(model.base_model.model.last).gated(last), wanted_gated)


def test_the_base_answers_where_the_adapter_is_off() -> None:
    model = _model(torch.float32)
    x = torch.randn(4, 6)
    projection = Projection(*_three(model))
    with model.disable_adapter():
        torch.testing.assert_close(projection(x), _by_peft(model, x))
        off = projection(x)
    assert not torch.allclose(projection(x), off)
