"""Every metric once: what it is called, which way is better, in what it is counted, and for which tasks it is suggested.

Takes the key of a metric, gives its facts; everything that lists, words or compares metrics reads them here. It computes
nothing: scores of one row are in ``scores.py`` and in the evaluation worker.
"""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, get_args

Task = Literal["generation", "classification", "extraction", "summarising", "translation", "chat"]
Direction = Literal["higher", "lower", "neither"]
Unit = Literal["share", "points", "ratio", "count"]
Over = Literal["rows", "corpus"]

TASKS: tuple[Task, ...] = get_args(Task)
# Chooses all metrics of the fields of JSON references together; which there are shows only once the rows are read.
FIELDS = "fields"
CHECK = "check_"


class Metric(NamedTuple):
    """One metric.

    ``over`` says how rows come together: ``rows`` is the mean of the rows' own scores, ``corpus`` is computed from
    all rows at once (a row's score, where it has one, is the same formula on that row alone). ``share`` is 0 to 1,
    ``points`` 0 to 100.
    """

    key: str
    direction: Direction
    unit: Unit
    over: Over
    tasks: tuple[Task, ...] = ()
    version: int = 1

    @property
    def yes_or_no(self) -> bool:
        """Each row is right or wrong: a proportion with a Wilson interval, compared by McNemar's test."""
        return self.key in _YES_OR_NO


_TEXTS: tuple[Task, ...] = ("generation", "chat")
_YES_OR_NO = frozenset({"exact_match", "json_valid", "accuracy", "refusal_rate", "field_accuracy", "check"})

METRICS: Mapping[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("accuracy", "higher", "share", "rows", ("classification",)),
        Metric("macro_f1", "higher", "share", "corpus", ("classification",)),
        Metric("micro_f1", "higher", "share", "corpus", ("classification",)),
        Metric("json_valid", "higher", "share", "rows", ("extraction",)),
        Metric(FIELDS, "higher", "share", "rows", ("extraction",)),
        Metric("bleu", "higher", "points", "corpus", ("translation",)),
        Metric("chrf", "higher", "points", "corpus", ("translation", *_TEXTS)),
        Metric("rouge1", "higher", "share", "rows", ("summarising",)),
        Metric("rouge2", "higher", "share", "rows", ("summarising",)),
        Metric("rougeL", "higher", "share", "rows", ("summarising", *_TEXTS)),
        Metric("exact_match", "higher", "share", "rows", ("extraction", "generation")),
        Metric("token_f1", "higher", "share", "rows", ("extraction", *_TEXTS), version=2),
        Metric("perplexity", "lower", "ratio", "corpus", TASKS),
        Metric("length", "neither", "count", "rows", ("summarising", "translation", *_TEXTS)),
        Metric("distinct_1", "neither", "share", "corpus", _TEXTS),
        Metric("distinct_2", "neither", "share", "corpus", ("summarising", *_TEXTS)),
        Metric("refusal_rate", "neither", "share", "rows", ("classification", "summarising", *_TEXTS)),
    )
}

# Kinds that come once for each field of the references, and once for each check that was asked for.
_EACH: Mapping[str, Metric] = {
    "field_accuracy": Metric("field_accuracy", "higher", "share", "rows"),
    "field_macro_f1": Metric("field_macro_f1", "higher", "share", "corpus"),
    "field_token_f1": Metric("field_token_f1", "higher", "share", "rows", version=2),
    "check": Metric("check", "higher", "share", "rows"),
}
FIELD_ENDINGS: Mapping[str, str] = {
    "_accuracy": "field_accuracy",
    "_macro_f1": "field_macro_f1",
    "_token_f1": "field_token_f1",
}


def suggested(task: Task) -> tuple[str, ...]:
    """Keys of the metrics that a task is measured by, in the order in which they are shown."""
    return tuple(key for key, metric in METRICS.items() if task in metric.tasks)


def kind_of(key: str, fields: Collection[str]) -> tuple[Metric, str]:
    """The metric behind a key of a report, and the field or check that it is about; empty for whole answers.

    Args:
        key: such as ``bleu``, ``category_accuracy`` or ``check_order_number``.
        fields: names of the JSON fields of that report; a field may have any name, also that of a metric.
    """
    for ending, kind in FIELD_ENDINGS.items():
        field = key.removesuffix(ending)
        if field != key and field in fields and key not in METRICS:
            return _EACH[kind], field
    if key.startswith(CHECK):
        return _EACH["check"], key.removeprefix(CHECK)
    return METRICS[key], ""
