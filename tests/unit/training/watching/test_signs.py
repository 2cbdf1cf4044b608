"""Signs on made curves: each one where it belongs, and next to none on ordinary noisy runs."""

import json
import math
import random
from typing import Any

import pytest

from ftkit.training.spec import RunSpec
from ftkit.training.watching.signs import look

OPTIONS: dict[str, Any] = RunSpec().model_dump()
Curve = list[dict[str, Any]]


def healthy(seed: int, steps: int | None = None) -> Curve:
    """A loss that falls to a floor with the noise of small batches, and a calmer validation loss."""
    chance = random.Random(seed)
    steps = steps or chance.choice([30, 60, 120, 250, 500])
    floor, fall = chance.uniform(0.5, 2), chance.uniform(0.4, 1.5)
    time, noise, calm = (
        steps * chance.uniform(0.05, 0.4),
        chance.uniform(0.05, 0.3),
        chance.uniform(0.001, 0.01),
    )

    def loss(step: int, spread: float) -> float:
        return (floor + fall * math.exp(-step / time)) * math.exp(chance.gauss(0, spread))

    points: Curve = []
    for step in range(1, steps + 1):
        gradient = 0.7 * (1 + 2 * math.exp(-step / time)) * math.exp(chance.gauss(0, 0.25))
        points.append({"step": step, "loss": loss(step, noise), "grad_norm": gradient})
        if step % max(10, steps // 12) == 0:
            points.append({"step": step, "eval_loss": 1.05 * loss(step, calm)})
    return points


def made(losses: list[float], validation: dict[int, float] | None = None, **more: list[float]) -> Curve:
    points = [
        {"step": n, "loss": loss, **{name: values[n - 1] for name, values in more.items()}}
        for n, loss in enumerate(losses, start=1)
    ]
    return points + [{"step": step, "eval_loss": value} for step, value in (validation or {}).items()]


def wobble(values: list[float], spread: float = 0.05) -> list[float]:
    chance = random.Random(3)
    return [value * math.exp(chance.gauss(0, spread)) for value in values]


def keys(curve: Curve, **options: Any) -> list[str]:
    return [sign.key.removeprefix("training.sign_") for sign in look(curve, {**OPTIONS, **options})]


def test_ordinary_noisy_curves_raise_no_alarm_while_they_run_or_at_their_end() -> None:
    alarmed = {seed for seed in range(200) if look(healthy(seed), OPTIONS)}
    assert len(alarmed) <= 200 * 0.05, sorted(alarmed)
    for share in (0.25, 0.5, 0.75):
        early = set()
        for seed in range(200):
            curve = healthy(seed)
            early |= {seed} if look(curve[: int(len(curve) * share)], OPTIONS) else set()
        assert len(early) <= 200 * 0.05, (share, sorted(early))


def test_nothing_is_said_of_nothing() -> None:
    assert keys([]) == []
    assert keys([{"step": 1, "loss": 2.0}]) == []
    assert keys(made([math.nan] * 40)) == []


def falling(steps: int = 60) -> list[float]:
    return wobble([2 * math.exp(-step / 40) for step in range(steps)])


def test_overfitting_names_the_step_of_the_best() -> None:
    curve = made(falling(), {10: 1.6, 20: 1.2, 30: 1.25, 40: 1.33})
    (sign,) = look(curve, OPTIONS)
    assert sign.key == "training.sign_overfitting"
    assert "since step 20" in str(sign)
    assert "best there, 1.2, and is 1.33 now" in str(sign)


def test_overfitting_is_seen_through_its_ups_and_downs() -> None:
    values = [1.6, 1.2, 1.28, 1.26, 1.36, 1.34, 1.46, 1.44, 1.55]
    assert "overfitting" in keys(made(falling(90), {10 * n: v for n, v in enumerate(values, start=1)}))


@pytest.mark.parametrize(
    "validation",
    [{20: 1.2, 30: 1.25}, {10: 1.6, 20: 1.2, 30: 1.205, 40: 1.21}, {10: 1.6, 20: 1.2, 30: 1.3, 40: 1.19}],
    ids=["one rise", "tiny rises", "a new best"],
)
def test_one_rise_or_tiny_ones_are_no_overfitting(validation: dict[int, float]) -> None:
    assert keys(made(falling(), validation)) == []


def test_a_validation_loss_that_rises_with_the_training_loss_is_diverging() -> None:
    losses = wobble([2.0 - step / 40 for step in range(30)] + [1.3 + step / 15 for step in range(30)])
    found = look(made(losses, {20: 1.5, 30: 1.3, 40: 2.0, 50: 2.7}), OPTIONS)
    assert [sign.key for sign in found] == ["training.sign_diverging"]
    assert "around step 3" in str(found[0])
    assert str(OPTIONS["learning_rate"]) in str(found[0])


def test_a_jump_at_the_beginning_means_too_high_a_rate() -> None:
    losses = wobble(
        [2.0] * 4 + [2.5, 4, 6, 7, 6.5, 5] + [4 * math.exp(-step / 20) + 1.5 for step in range(50)]
    )
    assert "loss_jumped" in keys(made(losses))


def test_a_gradient_that_jumps_at_the_beginning_too() -> None:
    norms = [1.0, 1.1, 0.9, 1.0, 1.2, 14.0, 2.0, 1.0, *[0.9] * 30]
    assert keys(made(falling(38), grad_norm=norms)) == ["gradient_jumped"]
    assert keys(made(falling(38), grad_norm=[14.0, 6.0, 3.0, *[0.9] * 35])) == []


def test_a_loss_that_swings_means_too_high_a_rate() -> None:
    losses = wobble([2 + 0.9 * math.sin(step / 6) for step in range(120)])
    assert "swinging" in keys(made(losses))


def test_a_gradient_that_is_always_clipped_is_told_with_its_norm() -> None:
    curve = made(falling(), grad_norm=wobble([3.0] * 60))
    (sign,) = look(curve, OPTIONS)
    assert "50 of the newest 50" in str(sign)
    assert keys(curve, max_grad_norm=0.0) == []
    assert keys(curve, max_grad_norm=10.0) == []


def test_a_loss_that_does_not_move_means_too_low_a_rate() -> None:
    assert keys(made(wobble([2.0] * 60), {20: 2.0, 40: 1.995, 60: 1.99})) == ["still"]
    assert keys(made(wobble([2.0] * 300))) == ["still"]
    assert keys(made(wobble([2.0] * 20))) == []


def test_a_loss_of_zero_is_memorised_unless_the_validation_rows_are_known_too() -> None:
    losses = wobble([2 * math.exp(-step / 5) for step in range(60)])
    assert keys(made(losses)) == ["memorised"]
    assert keys(made(losses, {60: 0.5})) == ["memorised"]
    assert keys(made(losses, {60: 0.03})) == []


def test_preferences_that_stay_at_chance_or_turn_round_are_told() -> None:
    losses = wobble([0.69 - step / 400 for step in range(60)])
    chance = random.Random(1)

    def shares(mean: float) -> list[float]:
        return [sum(chance.random() < mean for _ in range(8)) / 8 for _ in range(60)]

    assert keys(made(losses, reward_accuracy=shares(0.48), reward_margin=[0.01] * 60)) == ["undecided"]
    assert keys(made(losses, reward_accuracy=shares(0.2), reward_margin=[-0.4] * 60)) == ["reversed"]
    assert keys(made(losses, reward_accuracy=shares(0.8), reward_margin=[0.4] * 60)) == []


def test_the_same_curves_give_the_same_signs() -> None:
    curve = made(falling(), {10: 1.6, 20: 1.2, 30: 1.25, 40: 1.33})
    again = json.loads(json.dumps(curve))
    assert [str(sign) for sign in look(curve, OPTIONS)] == [str(sign) for sign in look(again, OPTIONS)]
