from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from ftkit.workers.training.fast import lora
from ftkit.workers.training.fast.lora import use_fast_layers


def _model(dtype: torch.dtype, bias: bool, **options: Any) -> Any:
    torch.manual_seed(0)
    base = torch.nn.Sequential(torch.nn.Linear(6, 5, bias), torch.nn.Tanh(), torch.nn.Linear(5, 4, bias)).to(
        dtype
    )
    model = get_peft_model(base, LoraConfig(r=3, lora_alpha=5, target_modules=["0", "2"], **options))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    return model.to(dtype)


def _gradients(model: Any, x: torch.Tensor) -> list[torch.Tensor]:
    x = x.clone().requires_grad_()
    model(x).square().sum().backward()
    found = [p.grad for p in model.parameters() if p.requires_grad]
    model.zero_grad()
    return [x.grad, *found]


@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_peft(bias: bool) -> None:
    model = _model(torch.float64, bias)
    x = torch.randn(2, 7, 6, dtype=torch.float64)
    wanted, slopes = model(x), _gradients(model, x)
    use_fast_layers(model)
    assert "_LoraLinear" in str(model(x).grad_fn.next_functions) + str(model(x).grad_fn)
    torch.testing.assert_close(model(x), wanted)
    for found, slope in zip(_gradients(model, x), slopes, strict=True):
        torch.testing.assert_close(found, slope)


def test_the_gradient_is_the_numerical_one() -> None:
    make = torch.Generator().manual_seed(1)
    x, weight, bias, down, up = (
        torch.randn(shape, generator=make, dtype=torch.float64, requires_grad=True)
        for shape in ((2, 3, 6), (5, 6), (5,), (3, 6), (5, 3))
    )
    assert torch.autograd.gradcheck(
        lambda x, down, up: lora._LoraLinear.apply(x, weight.detach(), bias.detach(), down, up, 0.7),
        (x, down, up),
    )


def test_under_autocast_it_computes_in_16_bits_and_learns_in_32() -> None:
    model = _model(torch.float32, bias=False)
    x = torch.randn(4, 6)
    with torch.autocast("cpu", torch.bfloat16):
        wanted, slopes = model(x), _gradients(model, x)
        use_fast_layers(model)
        found = model(x)
        assert found.dtype == wanted.dtype == torch.bfloat16
        torch.testing.assert_close(found, wanted, rtol=0.02, atol=0.02)
        for one, other in zip(_gradients(model, x), slopes, strict=True):
            assert one.dtype == other.dtype == torch.float32
            torch.testing.assert_close(one, other, rtol=0.05, atol=0.1)


@pytest.mark.parametrize("options", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}])
def test_layers_of_another_kind_stay_as_they_are(options: dict[str, Any]) -> None:
    model = _model(torch.float32, bias=True, **options)
    use_fast_layers(model)
    assert not [m for m in model.modules() if "forward" in vars(m)]


def test_the_base_answers_where_the_adapter_is_off() -> None:
    model = _model(torch.float32, bias=True)
    x = torch.randn(4, 6)
    with model.disable_adapter():
        wanted = model(x)
    use_fast_layers(model)
    with model.disable_adapter():
        torch.testing.assert_close(model(x), wanted)
    assert not torch.allclose(model(x), wanted)
