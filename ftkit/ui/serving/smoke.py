"""The test before the switch: what was asked, what was answered, how long it took, and why it failed where it did.

Takes a version, gives words and escaped ``Markup``. It tests nothing.
"""

from markupsafe import Markup

from ftkit.errors import FtkitError
from ftkit.serving.versions.smoke import Check, Report
from ftkit.serving.versions.standing import Version
from ftkit.ui import html
from ftkit.ui.i18n import say, say_error

_LONGEST = 300
_HEADS = ("prompt", "answer", "time")


def short(version: Version, lang: str) -> str:
    """The test in half a sentence."""
    if version.state == "trying":
        return say("serve.smoke.running", lang)
    report = _report(version)
    if report is None:
        return say("serve.smoke.none", lang)
    if not report.passed and version.state == "refused":
        return say("serve.smoke.failed", lang)
    answered = sum(not check.problem for check in report.checks)
    seconds = _seconds(report.seconds, lang)
    return say("serve.smoke.passed", lang, n=answered, of=len(report.checks), seconds=seconds)


def reason(version: Version, lang: str) -> str:
    """Why it failed, in a sentence."""
    report = _report(version)
    if report is None or report.error is None:
        return say("serve.smoke.failed", lang)
    return say_error(FtkitError.from_dict(report.error), lang)


def shown(version: Version, lang: str) -> Markup:
    """Every prompt with its answer; empty where nothing was asked."""
    report = _report(version)
    if report is None or not report.checks:
        return Markup("")
    heads = [say(f"serve.smoke.{key}", lang) for key in _HEADS]
    rows = [
        (html.shorten(check.prompt, _LONGEST), _answer(check, lang), _seconds(check.seconds, lang))
        for check in report.checks
    ]
    return html.table(heads, rows, say("serve.smoke.title", lang, label=version.label))


def _answer(check: Check, lang: str) -> Markup:
    if not check.problem:
        return html.answer(check.answer, lang)
    if check.problem == "slow":
        return html.answer(check.answer, lang) + html.pill("bad", say("serve.smoke.slow", lang))
    return html.pill("bad", say("serve.smoke.no_answer", lang))


def _seconds(seconds: float, lang: str) -> str:
    """To a tenth: most answers of a test take less than a few seconds."""
    return say("views.seconds", lang, n=html.number(seconds, lang, 1))


def _report(version: Version) -> Report | None:
    return None if version.smoke is None else Report.model_validate(version.smoke)
