"""Settings of what a person wrote into the fields of the monitor page.

Takes a record's class and the values, gives the record, or a toast that names the field and its limits. It keeps nothing.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import gradio as gr
from pydantic import ValidationError

from ftkit.records import Record
from ftkit.ui import html
from ftkit.ui.i18n import say

_LABELS: Mapping[str, str] = {
    "days": "monitor.settings.days.label",
    "window": "monitor.drift.window.label",
    "every_requests": "monitor.drift.every_requests.label",
    "every_minutes": "monitor.drift.every_minutes.label",
    "alpha": "monitor.drift.alpha.label",
    "error_share": "monitor.rules.errors.label",
    "p95_seconds": "monitor.rules.seconds.label",
    "down_share": "monitor.rules.down.label",
    "hours": "monitor.rules.hours.label",
    "at_least": "monitor.rules.least.label",
    "limit": "monitor.harvest.limit",
    "every_days": "monitor.reevaluation.label",
}
R = TypeVar("R", bound=Record)
_SHARES = frozenset({"alpha"})
_BOTH = 2


def checked(kind: type[R], wanted: dict[str, Any], lang: str) -> R:
    """The record.

    Raises:
        gr.Error: a value is missing or out of its limits.
    """
    try:
        return kind.model_validate(wanted)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        label, limits = say(_LABELS[field], lang), _limits(kind, field)
        told = say("monitor.settings.out_of_range_one", lang, field=label)
        if len(limits) == _BOTH:
            low, high = (_said(limit, field, lang) for limit in limits)
            told = say("monitor.settings.out_of_range", lang, field=label, low=low, high=high)
        raise gr.Error(told, title=say("border.error", lang), print_exception=False) from error


def _limits(kind: type[Record], field: str) -> list[float]:
    """Least and greatest value, as far as the field has them."""
    found = kind.model_fields[field].metadata
    sides = (next((getattr(one, side) for one in found if hasattr(one, side)), None) for side in ("ge", "le"))
    return [limit for limit in sides if limit is not None]


def _said(limit: float, field: str, lang: str) -> str:
    return html.percent(limit, lang, 1) if field in _SHARES else html.number(limit, lang)
