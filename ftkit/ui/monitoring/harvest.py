"""Requests that are worth learning from, before and after a click makes a dataset of them.

Takes candidates of the harvest service, gives escaped ``Markup``. It chooses none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ftkit.monitoring.harvest.service import Harvested
from ftkit.monitoring.harvest.wishes import Candidate
from ftkit.records import Dataset
from ftkit.ui import html
from ftkit.ui.i18n import say

SHOWN = 20
_PROMPT_SHOWN = 600


def told(found: Sequence[Candidate], lang: str) -> Markup:
    """How many rows there would be and for which reasons, then the first of them."""
    if not found:
        return html.notice("info", say("monitor.harvest.none", lang))
    reasons = Counter(reason for one in found for reason in one.why)
    why = ", ".join(
        f"{say(f'monitor.why.{reason}', lang)} {html.number(n, lang)}" for reason, n in reasons.most_common()
    )
    corrected = sum(bool(one.correction) for one in found)
    head = say(
        "monitor.harvest.found", lang, n=html.number(len(found), lang), corrected=html.number(corrected, lang)
    )
    parts = [html.notice("good", head), html.paragraph(say("monitor.harvest.reasons", lang, why=why))]
    if len(found) > SHOWN:
        parts.append(Markup('<p class="ft-quiet">{}</p>').format(say("monitor.harvest.first", lang, n=SHOWN)))
    return html.join([*parts, _table(found[:SHOWN], lang)])


def made(dataset: Dataset, lang: str) -> Markup:
    """What a harvest has become, and that its rows are to be read first."""
    text = say("monitor.harvest.made", lang, n=html.number(dataset.rows, lang))
    return html.notice("good", text) + html.actions(_editor(dataset.id, lang, primary=True))


def past(found: Sequence[Harvested], names: Mapping[str, str], lang: str) -> Markup:
    """Datasets that requests became rows of, the newest first; one that was deleted has no link."""
    heads = [say(f"monitor.harvest.{key}", lang) for key in ("dataset", "requests", "at", "next")]
    rows = [
        (
            html.link_text(html.url("data", dataset=one.dataset), names[one.dataset])
            if one.dataset in names
            else say("monitor.harvest.deleted", lang),
            html.number(one.requests, lang),
            html.moment(one.at),
            _editor(one.dataset, lang) if one.dataset in names else "–",
        )
        for one in found
    ]
    title = say("monitor.harvest.past", lang)
    return Markup('<h3 class="ft-title">{}</h3>{}').format(title, html.table(heads, rows, title))


def _editor(dataset: str, lang: str, primary: bool = False) -> Markup:
    return html.link(
        html.url("clean", dataset=dataset), say("monitor.harvest.correct", lang), primary=primary
    )


def _table(found: Sequence[Candidate], lang: str) -> Markup:
    heads = [say(f"monitor.harvest.{key}", lang) for key in ("prompt", "answer", "why")]
    rows = [(html.answer(_prompt(one), lang), _answers(one, lang), _why(one, lang)) for one in found]
    return Markup('<div class="ft-candidates">{}</div>').format(
        html.table(heads, rows, say("monitor.harvest.title", lang))
    )


def _prompt(one: Candidate) -> str:
    """The last thing that was said to the model."""
    last = str(one.messages[-1].get("content", "")) if one.messages else ""
    return last if len(last) <= _PROMPT_SHOWN else last[: _PROMPT_SHOWN - 1] + "…"


def _answers(one: Candidate, lang: str) -> Markup:
    """The model's answer; a correction stands above it, because that is what would be learned."""
    if not one.correction:
        return html.answer(one.answer, lang)
    return Markup("<small>{}</small>{}<small>{}</small>{}").format(
        say("monitor.harvest.by_user", lang),
        html.answer(one.correction, lang),
        say("monitor.harvest.by_model", lang),
        html.answer(one.answer, lang),
    )


def _why(one: Candidate, lang: str) -> Markup:
    pills = html.join(
        html.pill("plain", say(f"monitor.why.{reason}", lang)) + Markup(" ") for reason in one.why
    )
    sure = (
        Markup("<small>{}</small>").format(
            say("monitor.harvest.confidence", lang, share=html.percent(one.confidence, lang))
        )
        if one.confidence is not None
        else ""
    )
    return Markup("{}<div>{}</div>{}").format(pills, html.moment(one.at), sure)
