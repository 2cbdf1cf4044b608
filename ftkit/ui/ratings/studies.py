"""A rating study as its owner sees it: the list, where it stands, its items with the models' names, what came of it.

Takes views of the studies service, gives escaped ``Markup``. Nothing of it is ever sent to a rater.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from markupsafe import Markup

from ftkit.data.chat import Message
from ftkit.ratings.studies.items import Item, ItemAnswer
from ftkit.ratings.studies.views import StudyView
from ftkit.records import ENDED_STATES
from ftkit.ui import html, views
from ftkit.ui.i18n import say

_TONES: Mapping[str, html.Tone] = {"ready": "warn", "open": "good"}
_PROMPT_SHOWN = 110
# Which page shows an artefact.
_PAGES: Mapping[str, str] = {
    "study": "ratings",
    "dataset": "data",
    "split": "train",
    "run": "runs",
    "evaluation": "evaluate",
    "upload": "data",
}
_IDS: Mapping[str, str] = {"study": "study", "dataset": "dataset", "split": "split"}
_LEFT_OUT = ("identical_answers", "missing_answer", "gold_not_possible")

Labels = Mapping[str, str]


class Made(NamedTuple):
    """Something that was made from a study, and from what it was made in turn."""

    kind: str
    id: str
    name: str


def state_pill(view: StudyView, lang: str) -> Markup:
    """Where a study stands in a word."""
    return html.pill(_TONES.get(view.state, "plain"), say(f"ratings.state.{view.state}", lang))


def studies_table(found: Sequence[StudyView], chosen: str, labels: Labels, lang: str) -> Markup:
    """All studies, newest first, each a link."""
    heads = [
        say(f"ratings.list.{key}", lang) for key in ("name", "state", "ratings", "protocol", "models", "made")
    ]
    body = [
        (
            html.link_text(html.url("ratings", study=one.study.id), one.study.name),
            state_pill(one, lang),
            "–"
            if one.state == "preparing"
            else f"{html.number(one.needed, lang)} / {html.number(one.wanted, lang)}",
            say(f"ratings.protocol.{one.study.protocol}", lang),
            html.join(Markup("<div>{}</div>").format(labels.get(side, side)) for side in one.study.sides),
            html.moment(one.study.created_at),
        )
        for one in found
    ]
    place = next((n for n, one in enumerate(found) if one.study.id == chosen), None)
    title = say("ratings.list.title", lang)
    return html.table(heads, body, title, place)


def studies_card(found: Sequence[StudyView], labels: Labels, lang: str) -> Markup:
    """The list in a card."""
    title = html.heading(say("ratings.list.title", lang))
    return Markup('<div class="ft-card">{}{}</div>').format(title, studies_table(found, "", labels, lang))


def nothing_to_rate(lang: str) -> Markup:
    """What stands where no model was trained yet: what ratings are for, and what they need."""
    return html.empty(
        say("ratings.empty.title", lang),
        say("ratings.empty.text", lang),
        html.link("/train", say("ratings.empty.train", lang), primary=True),
        html.link("/runs", say("ratings.empty.runs", lang)),
    )


def head(view: StudyView, labels: Labels, source: str, lang: str) -> Markup:
    """Name and state, what is asked, which models, and what there is to do now.

    Args:
        view: the study.
        labels: of its models.
        source: where its prompts come from, in words.
        lang: ``en`` or ``tr``.
    """
    title = Markup('<h2 class="ft-title">{} {}</h2>').format(view.study.name, state_pill(view, lang))
    models = html.join(Markup("<div>{}</div>").format(labels.get(side, side)) for side in view.study.sides)
    facts = [
        (say("ratings.models.title", lang), models),
        (say("ratings.fact.protocol", lang), say(f"ratings.protocol.{view.study.protocol}", lang)),
        (say("ratings.fact.source", lang), source),
        (say("ratings.fact.overlap", lang), html.number(view.options.overlap, lang)),
    ]
    if view.state != "preparing":
        facts.insert(2, (say("ratings.fact.items", lang), html.number(view.items - view.gold, lang)))
    if view.gold:
        facts.insert(3, (say("ratings.fact.gold", lang), html.number(view.gold, lang)))
    facts.append((say("ratings.fact.made", lang), html.moment(view.study.created_at)))
    note = Markup('<p class="ft-quiet">{}</p>').format(say("ratings.models.note", lang))
    return html.join([title, html.facts(facts), note, _standing(view, lang)])


def _standing(view: StudyView, lang: str) -> Markup:
    if view.state == "preparing":
        return preparing(view, lang)
    left = left_out(view.left_out, lang)
    if view.state == "ready":
        return html.notice("info", say("ratings.ready.text", lang)) + left
    return progress(view, lang) + left


def preparing(view: StudyView, lang: str) -> Markup:
    """How far the answers are, or why there are no more of them."""
    there = say(
        "ratings.answers",
        lang,
        done=html.number(view.answered, lang),
        wanted=html.number(view.answers_wanted, lang),
    )
    if view.job.state == "queued":
        return html.notice("info", say("ratings.queued", lang))
    if view.job.state not in ENDED_STATES:
        bar = views.progress_bar(views.progress_of(view.worker), lang)
        return html.paragraph(say("ratings.preparing.lede", lang)) + bar
    error = views.error_notice(view.job.error, lang)
    return error + html.notice("warn", f"{there} {say('ratings.stopped', lang)}")


def progress(view: StudyView, lang: str) -> Markup:
    """Ratings of those that are wanted."""
    text = say(
        "ratings.progress",
        lang,
        done=html.number(view.needed, lang),
        wanted=html.number(view.wanted, lang),
        complete=html.number(view.complete, lang),
        items=html.number(view.items - view.gold, lang),
    )
    return html.bar(view.needed / view.wanted if view.wanted else 0, text)


def left_out(counts: Mapping[str, int], lang: str) -> Markup:
    """Prompts that became no item, by reason."""
    said = [
        say(f"ratings.left_out.{reason}", lang, n=html.number(n, lang))
        if reason in _LEFT_OUT
        else say("ratings.left_out.other", lang, n=html.number(n, lang), reason=reason)
        for reason, n in counts.items()
        if n
    ]
    if not said:
        return Markup("")
    return html.notice("info", say("ratings.left_out", lang, what=", ".join(said)))


def named_note(count: int, lang: str) -> Markup:
    """That answers give their model away."""
    return html.notice("warn", say("ratings.named", lang, n=html.number(count, lang)))


def drop_note(named: int, count: int, listed: int, lang: str) -> Markup:
    """That any item can be left out, which answers give their model away, and what the list leaves out."""
    parts = [named_note(named, lang)] if named else [html.paragraph(say("ratings.drop.text", lang))]
    if count > listed:
        more = say(
            "ratings.drop.first", lang, listed=html.number(listed, lang), items=html.number(count, lang)
        )
        parts.append(html.paragraph(more))
    return html.join(parts)


def names_in(item: Item) -> list[str]:
    """Names of models that its answers say."""
    return sorted({name for answer in item.answers for name in answer.named})


def item_choice(item: Item, lang: str) -> str:
    """An item in a line of a list, with the names that its answers say."""
    parts = [str(item.place + 1), html.shorten(_asked(item), _PROMPT_SHOWN)]
    if item.gold is not None:
        parts.append(say("ratings.items.gold", lang))
    return " · ".join([*parts, *([", ".join(names_in(item))] if names_in(item) else [])])


def items(
    found: Sequence[Item], first: int, labels: Labels, lang: str, ratings: Mapping[str, Markup] | None = None
) -> Markup:
    """Some items, each unfolding to its answers with the models' names.

    Args:
        found: all items of the study.
        first: place of the first one to show.
        labels: names of the models.
        lang: ``en`` or ``tr``.
        ratings: what raters said, by item.
    """
    ratings = ratings or {}
    shown = found[first : first + ITEMS_SHOWN]
    if not shown:
        return Markup("")
    place = say(
        "ratings.items.place",
        lang,
        first=html.number(first + 1, lang),
        last=html.number(first + len(shown), lang),
        count=html.number(len(found), lang),
    )
    note = Markup('<p class="ft-quiet">{}</p>').format(place)
    return note + html.join(_item(one, labels, lang, ratings.get(one.id, Markup(""))) for one in shown)


ITEMS_SHOWN = 10


def lineage(made: Sequence[Made], lang: str) -> Markup:
    """What was made from a study, step by step, each a link."""
    if not made:
        return Markup("")
    lines = html.join(
        Markup("<li><small>{}</small> {}</li>").format(
            say(f"ratings.lineage.kind.{one.kind}", lang) if one.kind in _PAGES else one.kind,
            html.link_text(html.url(_PAGES[one.kind], **{_IDS.get(one.kind, one.kind): one.id}), one.name)
            if one.kind in _PAGES
            else one.name,
        )
        for one in made
    )
    return Markup('<h3 class="ft-title">{}</h3><ol class="ft-lineage">{}</ol>').format(
        say("ratings.next.made", lang), lines
    )


def verified(changes: int, first_broken: int | None, lang: str) -> Markup:
    """Whether the history of the ratings is whole, in words."""
    every = html.number(changes, lang)
    if first_broken is None:
        return html.notice("good", say("ratings.verify.good", lang, changes=every))
    first = html.number(first_broken, lang)
    return html.notice("bad", say("ratings.verify.bad", lang, first=first, changes=every))


def _asked(item: Item) -> str:
    return item.prompt[-1]["content"] if item.prompt else ""


def _item(item: Item, labels: Labels, lang: str, ratings: Markup) -> Markup:
    named = names_in(item)
    marks = [
        html.pill("plain", say("ratings.items.gold", lang)) if item.gold is not None else "",
        html.pill("warn", say("ratings.named.says", lang, names=", ".join(named))) if named else "",
    ]
    summary = Markup("{} · {} {}").format(
        item.place + 1, html.shorten(_asked(item), _PROMPT_SHOWN), html.join(marks)
    )
    prompt = views.chat(cast("list[Message]", list(item.prompt)), lang)
    answers = html.join(
        _answer(one, place == item.gold, labels, lang) for place, one in enumerate(item.answers)
    )
    reference = (
        Markup("<section><h4>{}</h4>{}</section>").format(
            say("ratings.items.reference", lang), html.answer(item.reference, lang)
        )
        if item.reference
        else Markup("")
    )
    body = Markup('{}<div class="ft-said-by">{}{}</div>{}').format(prompt, answers, reference, ratings)
    return html.details(summary, body)


def _answer(answer: ItemAnswer, right: bool, labels: Labels, lang: str) -> Markup:
    name = labels.get(answer.side, answer.side) or say("ratings.items.gold", lang)
    mark = html.pill("good", say("ratings.items.right", lang)) if right else ""
    cut = Markup('<p class="ft-quiet">{}</p>').format(say("ratings.items.cut", lang)) if answer.cut else ""
    return Markup("<section><h4>{} {}</h4>{}{}</section>").format(
        name, mark, html.answer(answer.text, lang), cut
    )
