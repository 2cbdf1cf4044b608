import torch
from transformers.models.llama.modeling_llama import LlamaRMSNorm

from ftkit.workers.training.fast.norm import normed


def test_the_gradient_is_the_numerical_one() -> None:
    make = torch.Generator().manual_seed(1)
    x, weight = (
        torch.randn(shape, generator=make, dtype=torch.float64, requires_grad=grad)
        for shape, grad in (((2, 3, 5), True), ((5,), False))
    )
    assert torch.autograd.gradcheck(lambda x: normed(x, weight, 1e-5), (x,))


def test_it_is_the_norm_of_llama_rounded_once() -> None:
    norm = LlamaRMSNorm(64, eps=1e-5)
    torch.nn.init.uniform_(norm.weight)
    norm.weight.requires_grad_(requires_grad=False)
    x, slope = (3 * torch.randn(4, 64)).requires_grad_(), torch.randn(4, 64)
    wanted = torch.autograd.grad(norm(x), x, slope)[0]
    torch.testing.assert_close(normed(x, norm.weight, 1e-5), norm(x))
    torch.testing.assert_close(torch.autograd.grad(normed(x, norm.weight, 1e-5), x, slope)[0], wanted)
    with torch.autocast("cpu", torch.bfloat16):
        narrow = normed(x, norm.weight, 1e-5)
    assert narrow.dtype == torch.bfloat16
    assert torch.equal(narrow, norm(x).to(torch.bfloat16))
