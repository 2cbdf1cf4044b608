"""Prompts for drift checks: windows of the bundled samples in which nothing drifts, and drifts planted into them."""

import json
import random
from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

from ftkit.data.bundled import path_of

# Nothing that a shop for kitchen machines is asked.
_STARS = (
    *(
        "the moon of Jupiter from its planet",
        "a comet that flies past the sun",
        "the orbit of Saturn around the sun",
    ),
    *(
        "a black hole in our galaxy",
        "the telescope that found a new planet",
        "astronauts on the space station",
    ),
    *("a solar eclipse by the moon", "the rings of Saturn in a telescope"),
)
_ASKING = (
    "How far is",
    "Tell me about",
    "Why do people watch",
    "When was",
    "Can we see",
    "What is",
    "Explain",
)
SKY = tuple(f"{asking} {star}?" for asking, star in product(_ASKING, _STARS))


class Draw(NamedTuple):
    """A window and the training rows beside it; no text is in both."""

    window: list[str]
    reference: list[str]

    @property
    def asked(self) -> list[tuple[str, str]]:
        """The window with ids."""
        return [(f"r{number}", text) for number, text in enumerate(self.window)]


def texts(sample: str = "ticket-triage") -> list[str]:
    """What customers write in a bundled sample."""
    lines = [json.loads(line) for line in path_of(sample).read_text("utf-8").splitlines()]
    return [line.get("message") or line["question"] for line in lines]


def nothing(seed: int, size: int = 200, sample: str = "ticket-triage", most: int = 10_000) -> Draw:
    """A window of the same source."""
    mixed = _mixed(texts(sample), seed)
    return Draw(mixed[:size], mixed[size:][:most])


def other_language(seed: int, size: int = 200) -> Draw:
    """Turkish; there are 124 such prompts."""
    return Draw(_mixed(texts("house-voice-tr"), seed)[:size], nothing(seed, size).reference)


def twice_as_long(seed: int, size: int = 200) -> Draw:
    """Two messages in one."""
    mixed = _mixed(texts(), seed)
    pairs = zip(mixed[:size], mixed[size : 2 * size], strict=True)
    return Draw([f"{first} {second}" for first, second in pairs], mixed[2 * size :])


def new_topic(seed: int, size: int = 200, share: float = 0.2) -> Draw:
    """So much of it about the sky."""
    mixed, new = _mixed(texts(), seed), _mixed(SKY, seed)[: round(share * size)]
    old = size - len(new)
    return Draw(_mixed([*new, *mixed[:old]], seed), mixed[old:])


def personal_data(seed: int, size: int = 200, share: float = 0.3) -> Draw:
    """So many customers say how to reach them."""
    rng, (window, reference) = random.Random(seed), nothing(seed, size)
    said: Sequence[Callable[[], str]] = (
        lambda: f" my mail is {rng.choice(('lena', 'kaan', 'john.smith'))}{rng.randrange(99)}@example.org",
        lambda: (
            f" call me on +90 532 {rng.randrange(100, 999)} {rng.randrange(10, 99)} {rng.randrange(10, 99)}"
        ),
    )
    many = round(share * size)
    return Draw([text + rng.choice(said)() for text in window[:many]] + window[many:], reference)


# Kind of the finding that has to be named → what is planted.
PLANTED = {
    "language": other_language,
    "length": twice_as_long,
    "topic": new_topic,
    "personal_data": personal_data,
}


def _mixed(values: Sequence[str], seed: int) -> list[str]:
    return random.Random(seed).sample(list(values), len(values))
