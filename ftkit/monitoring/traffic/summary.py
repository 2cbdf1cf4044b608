"""What can be counted of the traffic: volume, latency, tokens, errors, refusals and feedback, as a whole and over time.

Takes rows of numbers, gives a ``Summary``. A figure that too few requests stand behind is None and named in ``too_few``: it is
never a zero.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field

from ftkit.records import Record
from ftkit.statistics import wilson

MOST_ROWS = 200_000
# Of so few requests the 95th percentile is the slowest one, and the median is any.
LATENCY_FROM, TAIL_FROM = 5, 20
SHARE_FROM = 10
_HOURS_UP_TO = timedelta(days=3)
_FAILED_FROM = 400  # HTTP
_DAY = timedelta(days=1)


class Share(Record):
    """A share with its 95 % interval (Wilson); None where too few are behind it."""

    count: int
    of: int
    share: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def measured(cls, count: int, of: int) -> Self:
        """So many of so many."""
        if of < SHARE_FROM:
            return cls(count=count, of=of)
        low, high = wilson(count / of, of)
        return cls(count=count, of=of, share=count / of, low=low, high=high)


class Spread(Record):
    """Seconds: half of the requests took no longer than ``p50``, and 19 of 20 no longer than ``p95``."""

    of: int
    p50: float | None = None
    p95: float | None = None


class Point(Record):
    """One hour or one day, by its beginning (UTC)."""

    at: datetime
    requests: int = 0
    failed: int = 0
    refused: int = 0
    tokens: int = 0
    p50: float | None = None
    p95: float | None = None
    up: int = 0
    down: int = 0


class Summary(Record):
    """The traffic of a span of time."""

    since: datetime
    until: datetime
    version: str | None = None
    requests: int = 0
    capped: bool = Field(default=False, description="There were more; these are the newest of them.")
    failed: Share
    errors: dict[str, int] = Field(description="Key of the error, or the HTTP status → requests.")
    cancelled: int = 0
    cut: int = Field(default=0, description="Answers that ended at their limit.")
    latency: Spread
    first_token: Spread
    prompt_tokens: int = 0
    answer_tokens: int = 0
    tokens_unknown: int = Field(default=0, description="Answered requests whose tokens nobody counted.")
    refused: Share
    personal: dict[str, int] = Field(description="Kind of personal data → prompts that held some.")
    masked: int = Field(default=0, description="Prompts that were looked through for personal data.")
    confidence: float | None = Field(
        default=None, description="Mean over the answers whose confidence is known."
    )
    up: int = 0
    down: int = 0
    thumbs_down: Share
    rating: float | None = Field(default=None, description="Mean of 1 to 5.")
    ratings: int = 0
    corrections: int = 0
    step: Literal["hour", "day"]
    series: tuple[Point, ...] = ()
    too_few: tuple[str, ...] = Field(default=(), description="Figures that too few requests stand behind.")


class _Window(NamedTuple):
    since: datetime
    until: datetime
    version: str | None


def summarise(
    rows: Sequence[Mapping[str, Any]],
    said: Sequence[Mapping[str, Any]],
    since: datetime,
    until: datetime,
    version: str | None = None,
) -> Summary:
    """Count.

    Args:
        rows: of requests, the newest first; one more than ``MOST_ROWS`` where there are more.
        said: feedback on requests of that time.
        since: from when.
        until: up to when.
        version: of the model; None for all.
    """
    capped, rows = len(rows) > MOST_ROWS, rows[:MOST_ROWS]
    answered = [row for row in rows if row["status"] < _FAILED_FROM]
    whole = [row for row in answered if row["finish"] != "cancelled"]
    judged = [row for row in whole if row["refused"] is not None]
    thumbs = Counter(one["thumb"] for one in said)
    confident = [row["confidence"] for row in whole if row["confidence"] is not None]
    looked = [row["personal"] for row in rows if row["personal"] is not None]
    step: Literal["hour", "day"] = "hour" if until - since <= _HOURS_UP_TO else "day"
    shares: dict[str, Any] = {
        "failed": Share.measured(len(rows) - len(answered), len(rows)),
        "refused": Share.measured(sum(row["refused"] for row in judged), len(judged)),
        "thumbs_down": Share.measured(thumbs[-1], thumbs[1] + thumbs[-1]),
    }
    spreads: dict[str, Any] = {
        "latency": _spread([row["seconds"] for row in whole]),
        "first_token": _spread(_known(whole, "first_token_seconds")),
    }
    thin = [name for name, share in shares.items() if share.share is None]
    thin += [name for name, spread in spreads.items() if spread.p95 is None]
    return Summary(
        since=since,
        until=until,
        version=version,
        requests=len(rows),
        capped=capped,
        errors=dict(
            Counter(row["error"] or str(row["status"]) for row in rows if row["status"] >= _FAILED_FROM)
        ),
        cancelled=len(answered) - len(whole),
        cut=sum(row["finish"] == "length" for row in whole),
        prompt_tokens=sum(_known(rows, "prompt_tokens")),
        answer_tokens=sum(_known(rows, "answer_tokens")),
        tokens_unknown=len(answered) - len(_known(answered, "answer_tokens")),
        personal=dict(Counter(kind for found in looked for kind in found)),
        masked=len(looked),
        confidence=_mean(confident),
        **_opinions(said, thumbs),
        step=step,
        series=_series(rows, said, step, _Window(since, until, version)),
        too_few=tuple(thin),
        **shares,
        **spreads,
    )


def _opinions(said: Sequence[Mapping[str, Any]], thumbs: Mapping[int | None, int]) -> dict[str, Any]:
    """What people said of the answers."""
    ratings = [one["rating"] for one in said if one["rating"] is not None]
    return {
        "up": thumbs[1],
        "down": thumbs[-1],
        "rating": _mean(ratings),
        "ratings": len(ratings),
        "corrections": sum(bool(one["corrected"]) for one in said),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 100) * len(ordered) // 100) - 1))]


def _series(
    rows: Sequence[Mapping[str, Any]],
    said: Sequence[Mapping[str, Any]],
    step: Literal["hour", "day"],
    window: _Window,
) -> tuple[Point, ...]:
    """One point an hour or a day, those without requests too."""
    if not rows and not said:
        return ()
    begin = _begin_of(step)
    of: dict[datetime, list[Mapping[str, Any]]] = defaultdict(list)
    words: dict[datetime, Counter[Any]] = defaultdict(Counter)
    for row in rows:
        of[begin(row["at"])].append(row)
    for one in said:
        words[begin(one["at"])][one["thumb"]] += 1
    first = max(begin(window.since), min([*of, *words]))
    width = timedelta(hours=1) if step == "hour" else _DAY
    points, at = [], first
    while at < window.until:
        points.append(_point(at, of[at], words[at]))
        at += width
    return tuple(points)


def _point(at: datetime, rows: Sequence[Mapping[str, Any]], thumbs: Mapping[Any, int]) -> Point:
    answered = [row for row in rows if row["status"] < _FAILED_FROM]
    latency = _spread([row["seconds"] for row in answered if row["finish"] != "cancelled"])
    return Point(
        at=at,
        requests=len(rows),
        failed=len(rows) - len(answered),
        refused=sum(bool(row["refused"]) for row in answered),
        tokens=sum(_known(rows, "prompt_tokens")) + sum(_known(rows, "answer_tokens")),
        p50=latency.p50,
        p95=latency.p95,
        up=thumbs.get(1, 0),
        down=thumbs.get(-1, 0),
    )


def _begin_of(step: Literal["hour", "day"]) -> Callable[[datetime], datetime]:
    if step == "hour":
        return lambda at: at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return lambda at: at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _spread(seconds: Sequence[float]) -> Spread:
    return Spread(
        of=len(seconds),
        p50=percentile(seconds, 0.5) if len(seconds) >= LATENCY_FROM else None,
        p95=percentile(seconds, 0.95) if len(seconds) >= TAIL_FROM else None,
    )


def _known(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows if row[name] is not None]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
