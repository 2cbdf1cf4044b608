"""Twenty raters of whom many walk away: every item ends with exactly its ratings, and nobody is sent home too early."""

import contextlib
import random
import uuid
from collections import Counter

import pytest
from scipy.stats import chisquare

from ftkit.errors import Refused
from tests.studied import open_study, whole


def work_through(workspace, clock, tokens, abandon: float, seed: int, pace: float = 2) -> int:
    """Raters come in turn; some leave their task and come back much later, if ever. Gives how many were refused."""
    chance = random.Random(seed)
    raters = workspace.raters
    left: list[tuple[str, dict]] = []
    active, refused = set(tokens), 0
    while active:
        clock.pass_by(chance.uniform(0, pace))
        token = chance.choice(sorted(active))
        told = raters.task(token)
        if told["state"] == "finished":
            active.discard(token)
        elif told["state"] == "task" and chance.random() < abandon:
            left.append((token, told))
            if chance.random() < 0.3:
                clock.pass_by(chance.uniform(0, 12))
        elif told["state"] == "task":
            raters.submit(
                token, told["task"]["id"], str(uuid.UUID(int=chance.getrandbits(128))), whole(told), 1
            )
        if left and chance.random() < 0.1:  # somebody comes back to what they had left
            who, old = left.pop(chance.randrange(len(left)))
            refused += came_too_late(raters, who, old, str(uuid.UUID(int=chance.getrandbits(128))))
    return refused


def came_too_late(raters, token, told, submission) -> bool:
    """Send off a task that was left; whether others have it meanwhile."""
    with contextlib.suppress(Refused):
        raters.submit(token, told["task"]["id"], submission, whole(told), 1.0)
        return False
    return True


@pytest.mark.parametrize("gold", [4])
def test_each_item_ends_with_exactly_its_ratings(workspace, clock, gold):
    study, tokens = open_study(workspace, raters=20, prompts=60, overlap=3, gold=gold)
    work_through(workspace, clock, tokens, 0.3, 7)
    rated = workspace.studies.rated(study)
    others = Counter(one.item for one in rated if one.gold is None)
    assert len(others) == 60
    assert set(others.values()) == {3}
    assert max(Counter((one.item, one.rater) for one in rated).values()) == 1
    golden = Counter(one.rater for one in rated if one.gold is not None)
    assert set(golden.values()) == ({gold} if gold else set())
    assert len(golden) == (20 if gold else 0)
    view = workspace.studies.get(study)
    assert (view.complete, view.wanted, view.gold) == (60, 180, gold)
    assert workspace.studies.verify(study) == (len(workspace.studies.history(study)), None)


def test_nobody_is_finished_while_somebody_may_still_give_up(workspace, clock):
    _, [busy, *others] = open_study(workspace, raters=4, prompts=1, overlap=1)
    workspace.raters.task(busy)
    for token in others:
        told = workspace.raters.task(token)
        assert told["state"] == "waiting"
        assert told["progress"] == {"rated": 0, "may_become": 1}
    clock.pass_by(10.1)
    told = workspace.raters.task(others[0])
    assert told["state"] == "task"
    workspace.raters.submit(others[0], told["task"]["id"], str(uuid.uuid4()), whole(told), 1.0)
    assert [workspace.raters.task(token)["state"] for token in (busy, *others)] == ["finished"] * 4


@pytest.mark.parametrize("abandon", [0.0, 0.3])
def test_sides_are_balanced_within_items_and_overall(workspace, clock, abandon):
    study, tokens = open_study(workspace, raters=8, prompts=40, overlap=4)
    work_through(workspace, clock, tokens, abandon, 3, pace=0.1)
    rated = workspace.studies.rated(study)
    by_item: dict[str, Counter] = {}
    for one in rated:
        by_item.setdefault(one.item, Counter())[one.order] += 1
    even = sum(set(counts.values()) == {2} for counts in by_item.values())
    assert even == 40 if abandon == 0 else even > 20, "who comes back late may find their turn taken"
    first = Counter(one.sides[one.order[0]] for one in rated)
    assert len(first) == 2
    assert chisquare(list(first.values())).pvalue > 0.01
