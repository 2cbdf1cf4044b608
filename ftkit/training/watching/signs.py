"""Warnings in words, read off the curves of a run: over-fitting, diverging, a learning rate that is too high or too low.

Takes measurements (one dict per step) and the run's options, gives sentences with their numbers and what to do. Nothing is
stored: the same curves give the same signs, during the run and after it. It stops no run.

A single batch is noisy, so no single point is trusted. Losses are means over some points, and a change counts only where it
is both large for a reader and large beside the noise, which is taken from the differences of neighbouring points.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Any

from ftkit.errors import FtkitError

Points = Sequence[tuple[int, float]]

# Over-fitting: the validation loss rose twice in a row since its best by so much, or stayed above it for longer by more.
_RISE, _LONG_RISE = 0.02, 0.03
_MANY_VALIDATIONS = 8  # from here on their own noise can be told
# Diverging: the smoothed loss is so much above its earlier lowest.
_WORSE = 1.2
# Too high a rate: the first steps lift the loss, or the gradient, by such a factor; or the smoothed loss swings twice.
_JUMP, _GRADIENT_JUMP, _SWING, _SWINGS = 1.5, 5.0, 0.25, 2
# Both kinds of change must be so many standard deviations of the smoothed noise.
_CLEAR = 6.0
# Clipped: so many of the newest gradients, half of them to less than half of their length.
_CLIPPED, _NEWEST, _FAR = 0.95, 50, 2.0
# Not moving: over the whole run, the training loss fell by less than this, and the validation loss by less than that.
_STILL, _STILL_VALIDATION = 0.03, 0.01
_NOTHING_LEFT = 0.02  # nats a token
_OWN_ROWS_ONLY = 0.1  # a validation loss from here on is not learned yet
_UNDECIDED, _REVERSED = 0.55, 0.45
# Points that each sign needs before it speaks.
_FEW, _SOME, _MANY = 8, 15, 30
# From a median of absolute values to a standard deviation, for normal noise.
_MEDIAN = 0.6745


class Sign(FtkitError):
    """One warning; of the error family, so that it is said in the reader's language. It is never raised."""


@dataclass(frozen=True)
class _Seen:
    """The curves by name, without what is not a number."""

    loss: Points
    validation: Points
    gradient: Points
    accuracy: Points
    margin: Points
    options: Mapping[str, Any]

    @property
    def losses(self) -> list[float]:
        return [value for _, value in self.loss]


def look(curves: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> tuple[Sign, ...]:
    """All signs that the curves show, the gravest first.

    Args:
        curves: measurements in the order of their steps.
        options: of the run, by name.
    """

    def points(name: str) -> Points:
        return [(m["step"], float(m[name])) for m in curves if _is_number(m.get(name))]

    seen = _Seen(
        loss=points("loss"),
        validation=points("eval_loss"),
        gradient=points("grad_norm"),
        accuracy=points("reward_accuracy"),
        margin=points("reward_margin"),
        options=options,
    )
    checks = (_diverging, _jumping, _swinging, _overfitting, _memorised, _still, _undecided, _clipped)
    return tuple(sign for check in checks if (sign := check(seen)))


def torn_measurements(count: int) -> Sign:
    """Lines of measurements were cut off in the middle, so that the curves lack them."""
    return Sign(
        "training.sign_torn",
        "{count} lines of measurements were torn by a crash and are missing from the curves; the run itself lost nothing by it. "
        "If more of them appear, check the disk.",
        count=count,
    )


def _diverging(seen: _Seen) -> Sign | None:
    """The smoothed loss rose to well above its earlier lowest."""
    if len(seen.loss) < _SOME:
        return None
    width = _width(seen.losses)
    smooth = _smooth(seen.losses, width)
    place = min(range(len(smooth)), key=smooth.__getitem__)
    low, now = smooth[place], smooth[-1]
    clear = _CLEAR * _noise(seen.losses) / math.sqrt(width)
    if low <= 0 or now < _WORSE * low or now - low < clear:
        return None
    return Sign(
        "training.sign_diverging",
        "The training loss is rising: it was {low} around step {step} and is {now} now (means over {points} points). Stop the "
        "run and start again with a lower learning_rate, a third of {rate} for example.",
        low=_figure(low),
        step=seen.loss[place + width - 1][0],
        now=_figure(now),
        points=width,
        rate=seen.options.get("learning_rate", "–"),
    )


def _jumping(seen: _Seen) -> Sign | None:
    """Loss or gradient jump up in the first steps."""
    losses = seen.losses
    if len(losses) < _FEW:
        return None
    head = max(20, len(losses) // 5)
    means = _smooth(losses[:head], 3)
    place = max(range(len(means)), key=means.__getitem__)
    clear = _CLEAR * _noise(losses) / math.sqrt(3)
    rate = seen.options.get("learning_rate", "–")
    if means[0] > 0 and means[place] >= _JUMP * means[0] and means[place] - means[0] >= clear:
        return Sign(
            "training.sign_loss_jumped",
            "The loss jumped from {first} to {high} by step {step}, at the beginning of training: learning_rate {rate} is "
            "probably too high. Try a third of it, or a longer warmup_steps.",
            first=_figure(means[0]),
            high=_figure(means[place]),
            step=seen.loss[place + 2][0],
            rate=rate,
        )
    norms = [value for _, value in seen.gradient[:head]]
    if len(norms) < _FEW:
        return None
    place = max(range(3, len(norms)), key=norms.__getitem__)
    if norms[place] < _GRADIENT_JUMP * max(norms[:3]) or norms[place] < 2 * _GRADIENT_JUMP * median(norms):
        return None
    return Sign(
        "training.sign_gradient_jumped",
        "The gradient norm jumped to {high} at step {step}, from at most {first} in the first steps: learning_rate {rate} is "
        "probably too high. Try a third of it, or a longer warmup_steps.",
        high=_figure(norms[place]),
        step=seen.gradient[place][0],
        first=_figure(max(norms[:3])),
        rate=rate,
    )


def _swinging(seen: _Seen) -> Sign | None:
    """The smoothed loss goes up and down."""
    losses = seen.losses
    if len(losses) < _MANY:
        return None
    width = _width(losses)
    clear = _CLEAR * _noise(losses) / math.sqrt(width)
    rises = [(low, high) for low, high in _rises(_smooth(losses, width), clear)]
    if len(rises) < _SWINGS:
        return None
    low, high = max(rises, key=lambda rise: rise[1] - rise[0])
    return Sign(
        "training.sign_swinging",
        "The training loss swings: it rose {times} times, once from {low} to {high}. learning_rate {rate} is probably too "
        "high, or the batch too small: lower the rate, or raise gradient_accumulation_steps.",
        times=len(rises),
        low=_figure(low),
        high=_figure(high),
        rate=seen.options.get("learning_rate", "–"),
    )


def _overfitting(seen: _Seen) -> Sign | None:
    """The validation loss rises since its best while the training loss falls."""
    values = [value for _, value in seen.validation]
    if len(values) < 3:  # noqa: PLR2004 - a best one and two rises
        return None
    best = min(range(len(values)), key=values.__getitem__)
    lowest, after = values[best], values[best + 1 :]
    if lowest <= 0 or len(after) < 2:  # noqa: PLR2004 - two rises
        return None
    rise = fmean(after[-2:]) / lowest - 1
    steady = rise >= _RISE and all(later > earlier for earlier, later in pairwise([lowest, *after]))
    half = len(after) // 2
    lasting = len(after) > 2 and rise >= _LONG_RISE and fmean(after[half:]) > fmean(after[:half])  # noqa: PLR2004
    clear = len(values) < _MANY_VALIDATIONS or rise * lowest >= 3 * _bends(values)
    step = seen.validation[best][0]
    if not ((steady or lasting) and clear and _falls_after(seen.loss, step)):
        return None
    return Sign(
        "training.sign_overfitting",
        "The run over-fits since step {step}: the validation loss was best there, {best}, and is {now} now, while the training "
        "loss falls. Keep the checkpoint of step {step} (load_best_model_at_end, early_stopping_patience), train for fewer "
        "epochs, or bring more rows.",
        step=step,
        best=_figure(lowest),
        now=_figure(values[-1]),
    )


def _memorised(seen: _Seen) -> Sign | None:
    """Nothing is left to learn from the training rows, and the validation rows are not known as well."""
    losses = seen.losses
    if len(losses) < _SOME or (now := fmean(losses[-10:])) >= _NOTHING_LEFT:
        return None
    if seen.validation and seen.validation[-1][1] < _OWN_ROWS_ONLY:
        return None
    return Sign(
        "training.sign_memorised",
        "The training loss is about zero ({now} over the newest points, step {step}): the model knows its training rows by "
        "heart, and more steps teach nothing. Train for fewer epochs, or bring more rows.",
        now=_figure(now),
        step=seen.loss[-1][0],
    )


def _still(seen: _Seen) -> Sign | None:
    """The loss does not move."""
    losses = seen.losses
    if len(losses) < _MANY or fmean(losses[-10:]) < _OWN_ROWS_ONLY:
        return None
    third = len(losses) // 3
    start, first, last = fmean(losses[:5]), fmean(losses[:third]), fmean(losses[-third:])
    noise = _noise(losses)
    if abs(start - last) > 2 * _STILL * start + 2 * noise / math.sqrt(5) or last > (1 + 2 * _STILL) * first:
        return None
    values = [value for _, value in seen.validation]
    if len(values) > 2:  # noqa: PLR2004
        still = values[0] - min(values) < _STILL_VALIDATION * values[0] and first - last < _STILL * first
    else:
        still = first - last + 2 * noise * math.sqrt(2 / third) < 2 * _STILL * first
    if not still:
        return None
    return Sign(
        "training.sign_still",
        "The loss hardly moves: {first} on average in the first third of the steps, {last} in the newest. learning_rate {rate} "
        "is probably too low: try three times as much, or check that the answers are what is learned.",
        first=_figure(first),
        last=_figure(last),
        rate=seen.options.get("learning_rate", "–"),
    )


def _undecided(seen: _Seen) -> Sign | None:
    """After many steps the better answers are not preferred."""
    shares = [value for _, value in seen.accuracy]
    if len(shares) < _MANY + 10:
        return None
    newest = len(shares) // 3
    share, margins = fmean(shares[-newest:]), [value for _, value in seen.margin[-newest:]]
    margin = fmean(margins) if margins else 0.0
    if share < _REVERSED and margin < 0:
        return Sign(
            "training.sign_reversed",
            "At step {step} the model prefers the worse answer: the better one is chosen at a rate of {share}, with a mean margin "
            "of {margin}. Check that chosen and rejected are not swapped.",
            step=seen.accuracy[-1][0],
            share=_figure(share),
            margin=_figure(margin),
        )
    if share >= _UNDECIDED:
        return None
    return Sign(
        "training.sign_undecided",
        "At step {step} the better answer is preferred at a rate of {share} only, as by chance (margin {margin}). Raise "
        "learning_rate ({rate} now), train longer, or check that the better answers really are better.",
        step=seen.accuracy[-1][0],
        share=_figure(share),
        margin=_figure(margin),
        rate=seen.options.get("learning_rate", "–"),
    )


def _clipped(seen: _Seen) -> Sign | None:
    """Nearly every gradient is shortened."""
    limit = seen.options.get("max_grad_norm") or 0
    norms = [value for _, value in seen.gradient[-_NEWEST:]]
    clipped = sum(norm > limit for norm in norms)
    if not limit or len(norms) < _NEWEST or clipped < _CLIPPED * len(norms) or median(norms) < _FAR * limit:
        return None
    return Sign(
        "training.sign_clipped",
        "The gradient was shortened at {clipped} of the newest {points} points: its norm is {norm} in the middle, max_grad_norm "
        "is {limit}. Every step is then equally long; lower learning_rate, or raise max_grad_norm if the loss falls well.",
        clipped=clipped,
        points=len(norms),
        norm=_figure(median(norms)),
        limit=limit,
    )


def _rises(smooth: Sequence[float], clear: float) -> Iterator[tuple[float, float]]:
    """Rises of a curve between a low and the next high, where both sides of the high are large."""
    low = high = smooth[0]
    rising = False
    for value in smooth:
        needed = max(_SWING * low, clear)
        if rising:
            high = max(high, value)
            if value <= high - needed:
                yield low, high
                low, rising = value, False
        else:
            low = min(low, value)
            if value >= low + needed:
                high, rising = value, True


def _falls_after(loss: Points, step: int) -> bool:
    """Whether the training loss is lower after a step than in as many points before it."""
    after = [value for at, value in loss if at > step]
    before = [value for at, value in loss if at <= step][-len(after) :]
    return bool(after and before) and fmean(after) < fmean(before)


def _width(values: Sequence[float]) -> int:
    """Points of a mean."""
    return max(5, len(values) // 20)


def _smooth(values: Sequence[float], width: int) -> list[float]:
    """Means of ``width`` neighbours; the first one ends at place ``width - 1``."""
    return [fmean(values[end - width : end]) for end in range(width, len(values) + 1)]


def _noise(values: Sequence[float]) -> float:
    """Standard deviation of a point around the curve, whatever the curve does."""
    return median(abs(b - a) for a, b in pairwise(values)) / (_MEDIAN * math.sqrt(2))


def _bends(values: Sequence[float]) -> float:
    """The same of a curve with few points: a straight piece counts for nothing."""
    found = [abs(a - 2 * b + c) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    return median(found) / (_MEDIAN * math.sqrt(6))


def _figure(value: float) -> float:
    """Three figures, which is what a reader takes in."""
    return float(f"{value:.3g}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
