"""Rows of an error analysis as HTML: a page of the list, and one row opened with all that is known of it.

Takes rows with their tags and right answers, gives escaped ``Markup``: answers of models and texts of files stay text.
"""

from typing import NamedTuple

from markupsafe import Markup

from ftkit.evaluation.errors.analysis import SIDES, LookedAt
from ftkit.evaluation.errors.measures import Measure, is_right, value
from ftkit.evaluation.errors.selection import Selection
from ftkit.evaluation.errors.service import Looked
from ftkit.records import Dataset
from ftkit.ui import html
from ftkit.ui.evaluation.errors import names
from ftkit.ui.evaluation.errors.difference import marked
from ftkit.ui.i18n import say

PAGE = 10  # rows
_SHORT = 220  # characters of a text in the list
_TONES: dict[str, html.Tone] = {"regression": "bad", "improvement": "good"}
_SIGNS = {"regression": "▼ ", "improvement": "▲ "}


class Source(NamedTuple):
    """Where a row came from; None for a dataset that is gone."""

    dataset: Dataset | None
    row: int


class Rows:
    """The rows of a selection.

    Args:
        looked: the evaluation.
        selection: what is chosen.
        lang: ``en`` or ``tr``.
    """

    def __init__(self, looked: Looked, selection: Selection, lang: str) -> None:
        self._looked, self._selection, self._lang = looked, selection, lang
        self._measure: Measure = looked.analysis.measure(selection.measure)
        self._id = looked.view.evaluation.id
        self.found = looked.chosen(selection)

    def page(self, number: int, opened: int | None) -> Markup:
        """A page of the list; ``number`` counts from 1, ``opened`` is the row that is shown in full."""
        number = min(max(1, number), max(1, -(-len(self.found) // PAGE)))
        shown = self.found[(number - 1) * PAGE : number * PAGE]
        if not shown:
            everything = names.address(self._id, Selection(measure=self._selection.measure))
            return html.empty(
                self._say("mistakes.none.title"),
                self._say("mistakes.none.text"),
                html.link(everything, self._say("mistakes.none.link")),
            )
        first = (number - 1) * PAGE + 1
        place = self._say("mistakes.place", first=first, last=first + len(shown) - 1, rows=len(self.found))
        items = html.join(self._item(one, number, one.row == opened) for one in shown)
        return Markup('<p class="ft-quiet" role="status">{}</p><ol class="ft-rows">{}</ol>{}').format(
            place, items, self._turning(number)
        )

    def opened(self, row: int, source: Source) -> Markup:
        """One row in full; a note where the selection does not hold it."""
        one = next((one for one in self._looked.analysis.rows(self._measure) if one.row == row), None)
        if one is None:
            return html.notice("warn", self._say("mistakes.no_row"))
        sample = one.sample
        title = html.heading(self._say("mistakes.row", n=row + 1)) + Markup(
            '<p class="ft-marks">{}</p>'
        ).format(self._marks(one))
        system = (
            html.details(self._say("mistakes.system"), html.answer(sample["system"], self._lang))
            if sample.get("system")
            else Markup("")
        )
        prompt = html.answer(sample["prompt"], self._lang) + system
        texts = self._part("prompt", prompt) + self._part(
            "reference", html.answer(sample["reference"], self._lang)
        )
        answers = ""
        if sample.get("base_answer") is not None and sample.get("tuned_answer") is not None:
            answers = Markup('<div class="ft-pair">{}</div><p class="ft-quiet">{}</p>').format(
                html.join(self._side(one, side) for side in SIDES), self._legend()
            )
        return html.join([title, texts, answers, self._facts(one, source), self._neighbours(row)])

    def _part(self, name: str, body: Markup) -> Markup:
        return Markup('<div class="ft-part"><h3>{}</h3>{}</div>').format(self._say(f"mistakes.{name}"), body)

    def _item(self, one: LookedAt, page: int, current: bool) -> Markup:
        sample = one.sample
        link = names.address(self._id, self._selection, page=page if page > 1 else None, row=one.row)
        columns = [
            ("prompt", sample["prompt"]), ("reference", sample["reference"]), ("tuned", sample.get("tuned_answer")),
        ]  # fmt: skip
        body = html.join(
            Markup("<div><small>{}</small>{}</div>").format(
                self._say(f"mistakes.{name}"), html.answer(html.shorten(text, _SHORT), self._lang)
            )
            for name, text in columns
            if text is not None
        )
        return Markup(
            '<li{}><p class="ft-marks"><input type="checkbox" class="ft-tick" value="{}" aria-label="{}">'
            '<a href="{}#errors-row">{}</a> {}</p><div class="ft-thirds">{}</div></li>'
        ).format(
            Markup(' aria-current="true"') if current else "",
            one.row,
            self._say("mistakes.tick", n=one.row + 1),
            link,
            self._say("mistakes.row", n=one.row + 1),
            self._marks(one),
            body,
        )

    def _marks(self, one: LookedAt) -> Markup:
        """Outcome, kinds of errors of the tuned model, tags, and whether somebody gave the right answer."""
        marks = []
        if one.outcome is not None:
            text = _SIGNS.get(one.outcome, "") + names.outcome_name(one.outcome, self._measure, self._lang)
            marks.append(html.pill(_TONES.get(one.outcome, "plain"), text))
        marks += [html.pill("warn", names.error_name(error, self._lang)) for error in one.errors["tuned"]]
        marks += [
            Markup('<span class="ft-pill ft-tag"># {}</span>').format(names.tag_name(tag, self._lang))
            for tag in self._looked.tags.get(one.row, ())
        ]
        if one.row in self._looked.answers:
            marks.append(html.pill("info", "✎ " + self._say("mistakes.corrected")))
        return Markup(" ").join(marks)

    def _side(self, one: LookedAt, side: str) -> Markup:
        """An answer with its difference from the reference; exact copies are said to be so."""
        answer = one.sample[f"{side}_answer"]
        body = marked(answer, one.sample["reference"])
        if body is None:
            note = self._say("mistakes.unlike") if answer.strip() else ""
            body = html.answer(answer, self._lang) + Markup('<p class="ft-quiet">{}</p>').format(note)
        right = is_right(one.scores[side], self._measure)
        mark = "" if right is None else html.pill("good" if right else "bad", self._right(right))
        kinds = html.join(
            Markup(" {}").format(html.pill("warn", names.error_name(error, self._lang)))
            for error in one.errors[side]
        )
        return Markup("<div><h3>{} {}{}</h3>{}</div>").format(
            self._say(f"mistakes.side.{side}"), mark, kinds, body
        )

    def _right(self, right: bool) -> str:
        return ("✓ " if right else "✕ ") + self._say("mistakes.right" if right else "mistakes.wrong")

    def _legend(self) -> Markup:
        return Markup('<span class="ft-diff"><del>{}</del> {} · <ins>{}</ins> {}</span>').format(
            self._say("mistakes.word"),
            self._say("mistakes.extra"),
            self._say("mistakes.word"),
            self._say("mistakes.missing"),
        )

    def _facts(self, one: LookedAt, source: Source) -> Markup:
        analysis = self._looked.analysis
        heads = [self._say("mistakes.measure"), *(self._say(f"mistakes.side.{side}") for side in SIDES)]
        scores = [
            (
                names.measure_name(measure, self._looked.report, self._lang),
                *(names.score(value(one.sample, measure, side), measure, self._lang) for side in SIDES),
            )
            for measure in analysis.measures
            if value(one.sample, measure, "tuned") is not None
        ]
        place = analysis.samples.index(one.sample)
        pairs = [
            (names.dimension_name(cut, self._lang), names.slice_name(cut, str(cut.values[place]), self._lang))
            for cut in analysis.dimensions
            if cut.values[place] is not None
        ]
        pairs.append((self._say("mistakes.source"), self._source(source)))
        table = html.table(heads, scores, self._say("mistakes.scores"))
        return html.facts(pairs) + html.details(self._say("mistakes.scores"), table)

    def _source(self, source: Source) -> str:
        if source.dataset is None:
            return self._say("mistakes.source.gone")
        text = self._say("mistakes.source.row", name=source.dataset.name, n=source.row + 1)
        return html.link_text(html.url("data", dataset=source.dataset.id, row=str(source.row)), text)

    def _neighbours(self, row: int) -> Markup:
        """The way to the rows before and after it in the selection."""
        rows = [one.row for one in self.found]
        if row not in rows:
            return html.notice("info", self._say("mistakes.outside"))
        at = rows.index(row)
        links = []
        for step, key in ((-1, "mistakes.before"), (1, "mistakes.after")):
            if 0 <= at + step < len(rows):
                page = 1 + (at + step) // PAGE
                to = names.address(
                    self._id, self._selection, page=page if page > 1 else None, row=rows[at + step]
                )
                links.append(html.link(f"{to}#errors-row", self._say(key)))
        page = 1 + at // PAGE
        closed = names.address(self._id, self._selection, page=page if page > 1 else None)
        return html.actions(*links, html.link(closed, self._say("mistakes.close")))

    def _turning(self, number: int) -> Markup:
        pages = -(-len(self.found) // PAGE)
        if pages == 1:
            return Markup("")
        links = [
            html.link(names.address(self._id, self._selection, page=to), self._say(key))
            for to, key in ((number - 1, "evaluate.back"), (number + 1, "evaluate.on"))
            if 1 <= to <= pages
        ]
        return html.actions(*links, Markup('<span class="ft-quiet">{}</span>').format(
            self._say("mistakes.page", page=number, pages=pages)
        ))  # fmt: skip

    def _say(self, key: str, **values: object) -> str:
        return say(key, self._lang, **values)
