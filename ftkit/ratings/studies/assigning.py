"""In which order a rater sees the answers, when a gold item is due, in which order items are given out.

Takes ids and the study's secret, gives numbers: values in, values out. Everything is decided by a keyed hash, so it is the same
each time and nobody can tell it from ids without the secret.
"""

import hmac
from collections import Counter
from collections.abc import Sequence


def shuffled(secret: str, item: str) -> str:
    """Where an item stands among the others of its study when they are given out."""
    return _hash(secret, "shuffled", item).hex()


def answer_order(secret: str, item: str, answers: int, before: Sequence[Sequence[int]]) -> list[int]:
    """The order in which the next rater sees the answers of an item: ``order[i]`` is the answer in place i.

    The hash decides where an item begins; each further rater gets the turn that was had least. ``answers`` raters see every
    answer once in every place.

    Args:
        secret: of the study.
        item: its id.
        answers: how many it has.
        before: orders in which the item was rated or is looked at now.
    """
    turns = _turns(secret, item, answers)
    had = Counter(tuple(order) for order in before)
    least = min(turns, key=lambda turn: had[turn])  # the first of several that were had as often
    return list(least)


def gold_is_due(secret: str, rater: str, golds: tuple[int, int], others: int, expected: int) -> bool:
    """Whether a rater gets a gold item next.

    Gold items are spread over what the rater may expect to get, each at a place of its share that nobody can foresee.

    Args:
        secret: of the study.
        rater: their id.
        golds: how many gold items they had, and how many there are.
        others: how many other items they had.
        expected: how many other items a rater gets if all get the same.
    """
    had, all_ = golds
    if had >= all_:
        return False
    chance = int.from_bytes(_hash(secret, "gold", rater, str(had))[:4]) / 2**32
    return others >= int((had + chance) * expected / all_)


def gold_order(secret: str, rater: str, items: Sequence[str]) -> list[str]:
    """The order in which a rater gets the gold items."""
    return sorted(items, key=lambda item: _hash(secret, "gold", rater, item))


def _turns(secret: str, item: str, answers: int) -> list[tuple[int, ...]]:
    """Orders in which an answer stands once in every place, then the same ones backwards, so that neighbours change sides too."""
    first = sorted(range(answers), key=lambda answer: _hash(secret, "order", item, str(answer)))
    forward = [tuple(first[place:] + first[:place]) for place in range(answers)]
    backward = [turn[::-1] for turn in forward]
    return list(dict.fromkeys([*forward, *backward]))


def _hash(secret: str, *parts: str) -> bytes:
    return hmac.digest(secret.encode(), "\n".join(parts).encode(), "sha256")
