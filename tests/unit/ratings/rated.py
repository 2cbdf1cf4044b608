"""Ratings for tests, made by hand or drawn."""

import random
from typing import Any

from ftkit.ratings.results.rated import Rated

BASE, TUNED = "base:smol", "run:r1"


def rated(number: int, rater: str, values: dict[str, Any], **more: Any) -> Rated:
    """A rating of item ``number`` by two sides, shown in the order of the item."""
    facts = {"sides": (BASE, TUNED), "order": (0, 1), "seconds": 20.0, **more}
    return Rated(item=f"i{number}", place=number, rater=rater, values=values, **facts)


def choice(number: int, rater: str, said: Any, **more: Any) -> Rated:
    """A rating of protocol pairs."""
    return rated(number, rater, {"choice": said}, **more)


def drawn(items: int, raters: int = 3, win: float = 0.7, tie: float = 0.2, seed: int = 0) -> list[Rated]:
    """Pairs that the tuned side wins with probability ``win``; places drawn, rows and two slices."""
    draw = random.Random(seed)
    found = []
    for number in range(items):
        for rater in range(raters):
            said: Any = "tie" if draw.random() < tie else int(draw.random() < win)
            order = draw.choice([(0, 1), (1, 0)])
            slices = {"mood": "angry" if number % 3 else "calm"}
            found.append(choice(number, f"r{rater}", said, order=order, row=number, slices=slices))
    return found
