"""The states of all random numbers that training draws, to go back to.

Takes nothing, gives an opaque value. It seeds nothing.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch


class Randomness(NamedTuple):
    """The states of Python's, numpy's and torch's random numbers, on the processor and on each card."""

    python: Any
    numpy: Any
    processor: torch.Tensor
    cards: list[torch.Tensor]

    def restore(self) -> None:
        """Go on from here."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)
        torch.set_rng_state(self.processor)
        if self.cards:
            torch.cuda.set_rng_state_all(self.cards)


def randomness() -> Randomness:
    """The states now."""
    cards = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    # numpy's old global state is the one that libraries draw from.
    return Randomness(random.getstate(), np.random.get_state(), torch.get_rng_state(), cards)  # noqa: NPY002


@contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever is drawn inside, training goes on as if nothing had been."""
    before = randomness()
    try:
        yield
    finally:
        before.restore()
