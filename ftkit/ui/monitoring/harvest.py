"""Requests that are worth learning from, before and after a click makes a dataset of them.

Takes candidates of the harvest service, gives escaped ``Markup``. It chooses none.
"""

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from ftkit.loop.service import NextTraining
from ftkit.monitoring.harvest.wishes import Candidate
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.ratings.addresses import to_training

SHOWN = 20
_PROMPT_SHOWN = 600


def told(found: Sequence[Candidate], lang: str) -> Markup:
    """How many rows there would be and for which reasons, then the first of them."""
    if not found:
        return html.notice("info", say("monitor.harvest.none", lang))
    reasons = Counter(reason for one in found for reason in one.why)
    why = ", ".join(f"{say(f'monitor.why.{reason}', lang)} {html.number(n, lang)}" for reason, n in reasons.most_common())
    corrected = sum(bool(one.correction) for one in found)
    head = say(
        "monitor.harvest.found", lang, n=html.number(len(found), lang), corrected=html.number(corrected, lang)
    )
    parts = [html.notice("good", head), html.paragraph(say("monitor.harvest.reasons", lang, why=why))]
    if len(found) > SHOWN:
        parts.append(Markup('<p class="ft-quiet">{}</p>').format(say("monitor.harvest.first", lang, n=SHOWN)))
    return html.join([*parts, _table(found[:SHOWN], lang)])


def made(dataset: str, rows: int, following: NextTraining | None, lang: str) -> Markup:
    """What a harvest has become, and the two ways on: correct its rows, or train at once."""
    links = [html.link(html.url("clean", dataset=dataset), say("monitor.harvest.correct", lang), primary=True)]
    if following is not None:
        links.append(html.link(to_training(following), say("monitor.harvest.train", lang)))
    text = say("monitor.harvest.made", lang, n=html.number(rows, lang))
    return html.notice("good", text) + html.actions(*links)


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
    pills = html.join(html.pill("plain", say(f"monitor.why.{reason}", lang)) + Markup(" ") for reason in one.why)
    sure = (
        Markup("<small>{}</small>").format(
            say("monitor.harvest.confidence", lang, share=html.percent(one.confidence, lang))
        )
        if one.confidence is not None
        else ""
    )
    return Markup("{}<div>{}</div>{}").format(pills, html.moment(one.at), sure)
