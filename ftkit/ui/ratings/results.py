"""The results of a rating study as HTML: who wins, how sure that is, how far raters agree, and what is left out.

Takes the dict of ``ResultService.results``, gives escaped ``Markup``. It computes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ftkit.evaluation.report.charts import interval_bar
from ftkit.evaluation.report.words import words
from ftkit.ratings.results import words as told_by
from ftkit.ratings.results.summary import turned
from ftkit.ratings.statistics.checks import LEAST_SECONDS, MANY, WORDS_A_MINUTE
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.words import Words

Results = Mapping[str, Any]
_HALF = 0.5
_Groups = Mapping[str, Mapping[str, Any]]
_JUDGED_FROM = 10  # ratings of a slice; fewer are shown and not judged


def shown(results: Results, lang: str) -> Markup:
    """Everything that the ratings say so far."""
    told = told_by.result_words(lang)
    if results["headline"]["kind"] == "none":
        waiting = html.empty(say("results.empty.title", lang), say("results.empty.text", lang))
        left_out = _left_out(results, told, lang) if any(results["left_out"].values()) else ""
        return Markup('<div class="ft-results">{}{}</div>').format(waiting, left_out)
    parts = [
        html.notice(told_by.tone(results), told_by.headline(results, told)),
        _outcomes(results, told),
        _facts(results, lang),
        _rankings(results, told, lang),
        _pairs(results, told, lang),
        _marks(results, told, lang),
        _agreement(results, told, lang),
        _compared(results, told, lang),
        _raters(results, told, lang),
        _slices(results, told, lang),
        _left_out(results, told, lang),
    ]
    return Markup('<div class="ft-results">{}</div>').format(html.join(parts))


def downloads(study: str, lang: str) -> Markup:
    """Links to all ratings as files."""
    return html.actions(
        *(
            html.link(f"/download/ratings/{study}?to={to}", say(f"results.download.{to}", lang))
            for to in ("csv", "jsonl")
        )
    )


def _outcomes(results: Results, told: Words) -> Markup:
    """Wins, ties and both bad of the pair that the headline is about, as one bar and in words."""
    pair = results["headline"]
    if pair["kind"] != "pair":
        return Markup("")
    parts = (
        ("ft-first", "first_wins"),
        ("ft-tie", "ties"),
        ("ft-none", "both_bad"),
        ("ft-second", "second_wins"),
    )
    pieces = html.join(
        Markup('<i class="{}" style="flex-grow:{}"></i>').format(kind, pair[key])
        for kind, key in parts
        if pair[key]
    )
    text = told_by.counts(pair, results["protocol"], results["labels"], told)
    return Markup('<div class="ft-shares" aria-hidden="true">{}</div><p class="ft-quiet">{}</p>').format(
        pieces, text
    )


def _facts(results: Results, lang: str) -> Markup:
    counts = ("ratings", "prompts", "raters")
    facts = [(say(f"results.fact.{key}", lang), html.number(results[key], lang)) for key in counts]
    complete = html.number(results["complete"], lang)
    return html.facts([*facts, (say("results.fact.complete", lang), complete)])


def _rankings(results: Results, told: Words, lang: str) -> Markup:
    groups = results["rankings"]
    if not groups or len(results["pairs"]) == 1:  # of two models the headline says it all
        return Markup("")
    heads = _heads(("model", "rank", "chance", "interval", "strength", "comparisons"), lang)
    title = say("results.ranking", lang)
    parts = [_section(title, say("results.ranking.note", lang))]
    if len(groups) > 1:
        parts.append(html.notice("warn", say("results.ranking.apart", lang)))
    for group in groups:
        body = [
            (
                line.side,
                line.rank,
                line.told,
                _drawn((line.chance, line.low, line.high), (0, 1), line.interval, lang),
                line.strength,
                line.ratings,
            )
            for line in told_by.rank_lines(group, results["labels"], told)
        ]
        parts.append(html.table(heads, body, title))
    if results["unranked"]:
        names = ", ".join(results["labels"][side] for side in results["unranked"])
        parts.append(html.paragraph(say("results.unranked", lang, names=names)))
    return html.join(parts)


def _pairs(results: Results, told: Words, lang: str) -> Markup:
    """Each pair from the side that wins more often; where there is one alone the headline has said it."""
    pairs = results["pairs"]
    if len(pairs) < 2:  # noqa: PLR2004
        return Markup("")
    heads = _heads(("pair", "wins", "interval", "counts", "verdict"), lang)
    title = say("results.pairs", lang)
    body = [
        (
            _versus(pair, results["labels"], lang),
            told.percent(pair["value"], 0),
            _share_drawn(pair, told, lang),
            _counted(pair, lang),
            told_by.pair_verdict(pair, told),
        )
        for pair in map(_leader_first, pairs)
    ]
    return html.join([_section(title, say("results.pairs.note", lang)), html.table(heads, body, title)])


def _marks(results: Results, told: Words, lang: str) -> Markup:
    """Mean points, mean ranks or shares passed, and differences paired by prompt."""
    if not results["marks"]:
        return Markup("")
    protocol = results["protocol"]
    title = say(f"results.marks.{protocol}", lang)
    heads = _heads(("criterion", "model", "value", "interval", "ratings"), lang)
    body = [_mark_row(line, results, told, lang) for line in results["marks"]]
    table = _without_criterion(heads, body, protocol, 0)
    parts = [_section(title, say(f"results.marks.{protocol}.note", lang)), html.table(*table, title)]
    if results["mark_differences"]:
        parts.append(_differences(results, told, lang))
    return html.join(parts)


def _mark_row(line: Mapping[str, Any], results: Results, told: Words, lang: str) -> tuple[str, ...]:
    share = results["protocol"] == "pass_fail"
    value = told.percent(line["value"], 0) if share else told.number(line["value"], 2)
    scale = (0.0, 1.0) if share else (1.0, _most(results))
    text = told_by.span(line["low"], line["high"], told, share=share)
    drawn = _drawn((line["value"], line["low"], line["high"]), scale, text, lang)
    side = results["labels"][line["side"]]
    return line["criterion"], side, value, drawn, html.number(line["ratings"], lang)


def _differences(results: Results, told: Words, lang: str) -> Markup:
    share = results["protocol"] == "pass_fail"
    heads = _heads(("criterion", "pair", "difference", "interval"), lang)
    reach = 1.0 if share else _most(results) - 1
    body = []
    for line in results["mark_differences"]:
        ends = [line["low"], line["high"]]
        text = "–" if None in ends else " … ".join(_change(end, told, share) for end in ends)
        drawn = _drawn((line["value"], *ends), (-reach, reach), text, lang)
        body.append(
            (
                line["criterion"],
                _against(line, results["labels"], lang),
                _change(line["value"], told, share),
                drawn,
            )
        )
    title = say("results.differences", lang)
    table = _without_criterion(heads, body, results["protocol"], 0)
    return html.join([_section(title, say("results.differences.note", lang)), html.table(*table, title)])


def _change(value: float, told: Words, share: bool) -> str:
    return told.number(100 * value, 0, sign=True) if share else told.number(value, 2, sign=True)


def _most(results: Results) -> float:
    """The best mark, or the last rank."""
    points = len(results["sides"]) if results["protocol"] == "ranking" else results["points"]
    return float(max(points, 2))


def _without_criterion(
    heads: Sequence[str], body: Sequence[tuple[str, ...]], protocol: str, place: int
) -> tuple[list[str], list[tuple[str, ...]]]:
    """A table without its column of criteria where the protocol has none."""
    if protocol == "scales":
        return list(heads), list(body)
    cut = [(*row[:place], *row[place + 1 :]) for row in body]
    return [*heads[:place], *heads[place + 1 :]], cut


def _agreement(results: Results, told: Words, lang: str) -> Markup:
    pairs = [
        (told_by.question(one, told), told_by.accord_sentence(one, told)) for one in results["agreement"]
    ]
    pairs.append((say("results.position", lang), told_by.position_sentence(results["position"], told)))
    title = _section(say("results.agreement", lang), say("results.agreement.note", lang))
    return html.join([title, _told(pairs)])


def _compared(results: Results, told: Words, lang: str) -> Markup:
    lines = list(told_by.compared_lines(results, told, _metric_names(lang)))
    if not lines:
        return Markup("")
    title = _section(say("results.compared", lang), say("results.compared.note", lang))
    return html.join([title, _told(lines)])


def _metric_names(lang: str) -> dict[str, str]:
    names = words(lang).sentences.items()
    return {key.removeprefix("metric."): name for key, name in names if key.startswith("metric.")}


def _raters(results: Results, told: Words, lang: str) -> Markup:
    heads = _heads(("rater", "ratings", "seconds", "fast", "gold", "others", "notes"), lang)
    body = [_rater_row(one, results, told, lang) for one in results["rater_checks"]]
    title = say("results.raters", lang)
    floor = {"words": html.number(WORDS_A_MINUTE, lang), "seconds": html.number(LEAST_SECONDS, lang)}
    return html.join(
        [_section(title, say("results.raters.note", lang, **floor)), html.table(heads, body, title)]
    )


def _rater_row(one: Mapping[str, Any], results: Results, told: Words, lang: str) -> tuple[str, ...]:
    gold = say("results.gold", lang, n=one["gold_right"], of=one["gold_seen"]) if one["gold_seen"] else "–"
    others = "–" if one["share"] is None else told.percent(one["share"], 0)
    if one["kappa"] is not None:
        others = Markup("{} <small>{}</small>").format(others, told.say(f"meaning.{one['meaning']}"))
    notes = []
    if one["left_out"]:
        notes.append(html.pill("plain", say(f"results.rater.{one['left_out']}", lang)))
    if (one["fast"] or 0) > _HALF:
        notes.append(html.pill("warn", say("results.rater.fast", lang)))
    if one["alike"]:
        notes.append(html.pill("warn", say("results.rater.alike", lang, n=MANY)))
    return (
        results["names"].get(one["rater"], one["rater"]),
        html.number(one["ratings"], lang),
        html.duration(one["seconds"], lang),
        html.percent(one["fast"], lang),
        gold,
        others,
        html.join(notes) or "–",
    )


def _slices(results: Results, told: Words, lang: str) -> Markup:
    if not results["slices"]:
        return Markup("")
    parts = [_section(say("results.slices", lang), say("results.slices.note", lang, n=_JUDGED_FROM))]
    for label, values in results["slices"].items():
        more = results["slices_more"].get(label)
        note = html.paragraph(say("results.slices.more", lang, n=more)) if more else ""
        name, values = _in_words(label, values, lang)
        parts.append(html.details(name, html.join([_slice_table(name, values, results, told, lang), note])))
    return html.join(parts)


def _in_words(label: str, values: _Groups, lang: str) -> tuple[str, _Groups]:
    """The groups that ftkit makes itself have words; those of a column are called as the data calls them."""
    if label != "prompt_length":
        return label, values
    named = {say(f"results.slices.{value}", lang): one for value, one in values.items()}
    return say("results.slices.prompt_length", lang), named


def _slice_table(label: str, values: _Groups, results: Results, told: Words, lang: str) -> Markup:
    if any(one["pairs"] for one in values.values()):
        heads = _heads(("group", "pair", "wins", "interval", "comparisons", "verdict"), lang)
        body = [row for value, one in values.items() for row in _pair_rows(value, one, results, told, lang)]
        return html.table(heads, body, label)
    heads = _heads(("group", "criterion", "model", "value", "interval", "ratings"), lang)
    body = [
        (value, *_mark_row(line, results, told, lang))
        for value, one in values.items()
        for line in one["marks"]
    ]
    return html.table(*_without_criterion(heads, body, results["protocol"], 1), label)


def _pair_rows(
    value: str, one: Mapping[str, Any], results: Results, told: Words, lang: str
) -> Iterable[tuple[str, ...]]:
    for pair in map(_leader_first, one["pairs"]):
        few = pair["ratings"] < _JUDGED_FROM
        yield (
            value,
            _versus(pair, results["labels"], lang),
            told.percent(pair["value"], 0),
            _share_drawn(pair, told, lang),
            html.number(pair["ratings"], lang),
            say("results.slices.few", lang) if few else told_by.pair_verdict(pair, told),
        )


def _left_out(results: Results, told: Words, lang: str) -> Markup:
    lines = html.join(Markup("<li>{}</li>").format(line) for line in told_by.left_out_lines(results, told))
    return Markup("{}<ul>{}</ul>").format(_section(say("results.left_out", lang), ""), lines)


def _share_drawn(pair: Mapping[str, Any], told: Words, lang: str) -> Markup:
    text = told_by.span(pair["low"], pair["high"], told, share=True)
    return _drawn((pair["value"], pair["low"], pair["high"]), (0, 1), text, lang)


def _drawn(
    found: tuple[float, float | None, float | None], scale: tuple[float, float], text: str, lang: str
) -> Markup:
    """An interval as a drawing over the whole scale, and in numbers; who does not see the drawing is told them too."""
    middle, reach = sum(scale) / 2, (scale[1] - scale[0]) / 2
    value, low, high = (None if one is None else one - middle for one in found)
    drawing = interval_bar(value or 0.0, low, high, reach, say("results.interval", lang, text=text))
    return Markup('<span class="ft-interval">{}<small>{}</small></span>').format(drawing, text)


def _versus(pair: Mapping[str, Any], labels: Mapping[str, str], lang: str) -> str:
    return say("results.versus", lang, first=labels[pair["first"]], second=labels[pair["second"]])


def _against(pair: Mapping[str, Any], labels: Mapping[str, str], lang: str) -> str:
    return say("results.minus", lang, first=labels[pair["first"]], second=labels[pair["second"]])


def _counted(pair: Mapping[str, Any], lang: str) -> str:
    counts = {key: html.number(pair[key], lang) for key in ("first_wins", "second_wins", "ties", "both_bad")}
    return say("results.counted", lang, **counts)


def _leader_first(pair: Mapping[str, Any]) -> Mapping[str, Any]:
    return pair if pair["value"] >= _HALF else turned(pair)


def _heads(names: Sequence[str], lang: str) -> list[str]:
    return [say(f"results.head.{name}", lang) for name in names]


def _section(title: str, note: str) -> Markup:
    said = Markup('<p class="ft-quiet">{}</p>').format(note) if note else ""
    return Markup('<h3 class="ft-title">{}</h3>{}').format(title, said)


def _told(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Names with sentences, which need more room than numbers."""
    return Markup('<div class="ft-told">{}</div>').format(html.facts(pairs))
