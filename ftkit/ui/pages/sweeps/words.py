"""Values, trials and mistakes of sweeps in the reader's language.

Takes records and errors, gives text. It makes no HTML.
"""

import math
from collections.abc import Mapping

from ftkit.errors import FtkitError
from ftkit.records import Sweep
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.space import Value
from ftkit.training.sweeps.trials import Trial
from ftkit.ui import form, html
from ftkit.ui.i18n import say, say_error

_LARGE = 10_000  # from here on written out whole


def value(one: Value | None, lang: str) -> str:
    """A value of an option or of the goal."""
    if isinstance(one, bool):
        return say("sweeps.on" if one else "sweeps.off", lang)
    if isinstance(one, str):
        return one
    if one is None or not math.isfinite(one) or abs(one) >= _LARGE:
        return html.number(one, lang)
    text = f"{one:.4g}"
    return text.replace(".", ",") if lang == "tr" else text


def values(trial: Trial, lang: str) -> str:
    """What a trial tried, in one line."""
    return ", ".join(
        f"{say(f'spec.{name}.label', lang)} {value(one, lang)}" for name, one in trial.values.items()
    )


def trial(sweep: Sweep, one: Trial, lang: str) -> str:
    """A trial in one sentence."""
    goal = say(f"sweeps.metric.{sweep.metric}", lang)
    found = (
        f"{goal} {value(one.value, lang)}"
        if one.value is not None
        else say(f"sweeps.state.{one.state}", lang)
    )
    return say("sweeps.trial", lang, number=one.number, values=values(one, lang), found=found)


def why(one: Trial, lang: str) -> str:
    """Why a trial has no value."""
    if one.state == "pruned":
        return say("sweeps.given_up", lang, step=one.step)
    return say_error(FtkitError.from_dict(one.reason), lang) if one.reason else ""


def mistake(name: str, error: FtkitError, spec: RunSpec, lang: str) -> str:
    """A mistake of a plan; rules between options are said as the form of a run says them."""
    if error.key != "sweeps.against_rule":
        return say_error(error, lang)
    tried = {**spec.model_dump(), name: _read(str(error.values["value"]))}
    said = form.mistakes(tried, lang)
    return " ".join(said.values()) or say_error(error, lang)


def label(field: str, lang: str) -> str:
    """The name of an option, or of a field of the plan."""
    return say(f"spec.{field}.label" if field in RunSpec.model_fields else f"sweeps.{field}.label", lang)


def lines(mistakes: Mapping[str, FtkitError], spec: RunSpec, lang: str) -> list[str]:
    """All mistakes, each with the name of its field."""
    return [f"{label(field, lang)}: {mistake(field, error, spec, lang)}" for field, error in mistakes.items()]


def _read(text: str) -> Value:
    if text in {"true", "false"}:
        return text == "true"
    try:
        return float(text) if any(sign in text for sign in ".e") else int(text)
    except ValueError:
        return text
