"""In which numbers the fast path computes.

Takes a tensor, gives a type. It converts nothing.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch


def product_type(x: torch.Tensor) -> torch.dtype:
    """What products are made in: as autocast says, else as the input comes."""
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype


def sum_type(x: torch.Tensor) -> torch.dtype:
    """What sums are made in: at least 32 bits."""
    return torch.promote_types(x.dtype, torch.float32)


def as_they_come() -> AbstractContextManager[None]:
    """Operations inside take their numbers as they are, whatever autocast says outside."""
    return torch.autocast("cpu", enabled=False)


@contextmanager
def products_in(kind: torch.dtype) -> Iterator[None]:
    """Products of 32-bit tensors inside are made of factors rounded to 16 bits, where ``kind`` is that, and summed in 32."""
    settings: Any = torch.backends.mkldnn
    settings = settings.matmul
    before = settings.fp32_precision
    if kind == torch.bfloat16:
        settings.fp32_precision = "bf16"
    try:
        yield
    finally:
        settings.fp32_precision = before
