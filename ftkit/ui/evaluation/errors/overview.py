"""Where a model goes wrong, as HTML: outcomes, confusion tables, slices, kinds of errors, tags; each a link to its rows.

Takes an evaluation that is looked through, gives escaped ``Markup``. It shows no row.
"""

from collections.abc import Sequence

from markupsafe import Markup

from ftkit.evaluation.errors.analysis import SIDES, Side
from ftkit.evaluation.errors.measures import PERPLEXITY, Measure
from ftkit.evaluation.errors.selection import Selection
from ftkit.evaluation.errors.service import Looked
from ftkit.evaluation.errors.slices import FEWEST, Slice, compared
from ftkit.ui import html
from ftkit.ui.evaluation.errors import names
from ftkit.ui.i18n import say

_WIDE = 5  # labels from which on two tables do not stand side by side
_CONDITIONS = {
    "kind": ("kind",),
    "slice": ("slice", "value"),
    "error": ("error", "side"),
    "field": ("field", "wanted", "given", "side"),
    "tag": ("tag",),
}


class Overview:
    """The sections of the page around the rows.

    Args:
        looked: the evaluation.
        selection: what is chosen now.
        lang: ``en`` or ``tr``.
    """

    def __init__(self, looked: Looked, selection: Selection, lang: str) -> None:
        self._looked, self._selection, self._lang = looked, selection, lang
        self._measure: Measure = looked.analysis.measure(selection.measure)
        self._id = looked.view.evaluation.id

    def head(self) -> Markup:
        """Which evaluation it is, what tuning did to its rows, and the way back."""
        evaluation = self._looked.view.evaluation
        title = html.heading(
            self._say(f"evaluate.of.{evaluation.part}"),
            self._say("mistakes.rows_of", rows=self._number(len(self._looked.analysis.samples))),
        )
        back = html.url("evaluate", run=evaluation.run, evaluation=evaluation.id)
        return title + self._outcomes() + html.actions(html.link(back, self._say("mistakes.back")))

    def conditions(self) -> Markup:
        """What the rows were filtered by, each with a way to take it away; nothing where there is no filter."""
        chips = []
        for name, parts in _CONDITIONS.items():
            if getattr(self._selection, name) != Selection.model_fields[name].default:
                fewer = self._address(self._selection.without(*parts))
                chips.append(
                    Markup('<a class="ft-chip" href="{}"><span>{}</span> <b aria-hidden="true">✕</b>'
                           '<span class="ft-unseen">{}</span></a>').format(fewer, self._condition(name), self._say("mistakes.take_away"))
                )  # fmt: skip
        return Markup('<p class="ft-chips">{}</p>').format(html.join(chips)) if chips else Markup("")

    def confusion(self) -> Markup:
        """Per field with few values: what base and tuned answered for each reference."""
        made = []
        for name, field in self._looked.report["fields"].items():
            if field["kind"] == "category" and field.get("confusion"):
                tables = (self._confusion_table(name, field, side) for side in SIDES)
                made.append(
                    Markup('<h3>{}</h3><div class="ft-pair{}">{}</div>').format(
                        name, "" if len(field["labels"]) < _WIDE else " ft-stack", html.join(tables)
                    )
                )
        return html.join(made)

    def errors(self) -> Markup:
        """Kinds of errors, counted for both sides."""
        if not self._looked.analysis.answered:
            return html.notice("info", self._say("evaluate.samples.none"))
        counted = self._looked.analysis.errors(self._measure)
        if not counted:
            return html.notice("good", self._say("mistakes.no_errors"))
        rows = [
            (
                Markup("<strong>{}</strong><br><small>{}</small>").format(
                    names.error_name(kind, self._lang), self._say(f"mistakes.says.{kind.partition(':')[0]}")
                ),
                *(self._error_link(kind, side, counts[side]) for side in SIDES),
            )
            for kind, counts in counted.items()
        ]
        heads = [self._say("mistakes.kind"), *(self._say(f"mistakes.side.{side}") for side in SIDES)]
        return html.table(heads, rows, self._say("mistakes.errors.title"))

    def slices(self) -> Markup:
        """Every slice with base, tuned and what the difference says."""
        found = self._looked.analysis.slices(self._measure)
        if not found:
            return html.notice("info", self._say("mistakes.no_slices"))
        difference = "difference" if self._measure.name == PERPLEXITY else "points"
        heads = [
            self._say(f"mistakes.slices.{key}")
            for key in ("slice", "rows", "base", "tuned", difference, "interval", "says")
        ]
        made = []
        for cut in dict.fromkeys(one.dimension.key for one in found):
            group = [one for one in found if one.dimension.key == cut]
            name = names.dimension_name(group[0].dimension, self._lang)
            weak = sum(one.says in ("weak", "worse") for one in group)
            note = html.pill("bad", self._say("mistakes.slices.weak_ones", n=weak)) if weak else ""
            table = html.table(heads, [self._slice(one) for one in group], name)
            open_ = bool(weak) or self._selection.slice == cut
            made.append(html.details(Markup("{} {}").format(name, note), table, open_))
        told = self._say(
            "mistakes.slices.note", slices=compared(found), fewest=FEWEST, measure=self._measure_name()
        )
        return Markup('<p class="ft-quiet">{}</p>{}').format(told, html.join(made))

    def tags(self) -> Markup:
        """What people said of how many rows."""
        counts = self._looked.tag_counts()
        if not counts:
            return html.notice("info", self._say("mistakes.no_tags"))
        return self._chips(
            [
                (names.tag_name(tag, self._lang), n, self._having(tag=tag), self._selection.tag == tag)
                for tag, n in counts.items()
            ],
            self._say("mistakes.tags.title"),
        )

    def _outcomes(self) -> Markup:
        counts = self._looked.analysis.outcomes(self._measure)
        rows = len(self._looked.analysis.samples)
        chips = [(self._say("mistakes.all"), rows, self._having(kind="all"), self._selection.kind == "all")]
        chips += [
            (
                names.outcome_name(kind, self._measure, self._lang),
                count,
                self._having(kind=kind),
                self._selection.kind == kind,
            )
            for kind, count in counts.items()
        ]
        return self._chips(chips, self._say("mistakes.outcomes"))

    def _chips(self, chips: Sequence[tuple[str, int, Selection, bool]], label: str) -> Markup:
        links = (
            Markup('<a class="ft-chip" href="{}"{}><span>{}</span> <b>{}</b></a>').format(
                self._address(to), Markup(' aria-current="true"') if chosen else "", text, self._number(count)
            )
            for text, count, to, chosen in chips
        )
        return Markup('<nav class="ft-chips" aria-label="{}">{}</nav>').format(label, html.join(links))

    def _condition(self, name: str) -> str:
        chosen, lang = self._selection, self._lang
        if name == "kind":
            return names.outcome_name(chosen.kind, self._measure, lang)
        if name == "slice":
            cut = self._looked.analysis.slice_of(chosen.slice)
            value = (
                names.slice_name(cut, chosen.value, lang)
                if not cut.bounds or chosen.value in cut.bounds
                else chosen.value
            )
            return f"{names.dimension_name(cut, lang)}: {value}"
        if name == "error":
            return f"{self._say(f'mistakes.side.{chosen.side}')}: {self._known_error(chosen.error)}"
        if name == "field":
            return names.cell_name(chosen, self._looked.analysis.labels(chosen.field), lang)
        return self._say("mistakes.tagged", tag=names.tag_name(chosen.tag, lang))

    def _known_error(self, error: str) -> str:
        known = self._looked.analysis.errors(self._measure)
        return names.error_name(error, self._lang) if error in known else error

    def _confusion_table(self, name: str, field: dict[str, object], side: Side) -> Markup:
        labels: list[str] = field["labels"]  # type: ignore[assignment]
        counts: list[list[int]] = field["confusion"][side]  # type: ignore[index]
        columns = [*labels, self._say("mistakes.other")]
        heads = [self._say("mistakes.wanted"), *columns]
        rows = [
            (
                Markup("<strong>{}</strong>").format(label),
                *(
                    self._cell(Selection(side=side, field=name, wanted=wanted, given=given), count, sum(line), wanted == given)
                    for given, count in enumerate(line)
                ),
            )
            for wanted, (label, line) in enumerate(zip(labels, counts, strict=True))
        ]  # fmt: skip
        title = Markup("<h4>{}</h4>").format(self._say(f"mistakes.side.{side}"))
        caption = self._say("mistakes.confusion.caption", field=name, side=self._say(f"mistakes.side.{side}"))
        return Markup('<div class="ft-confusion">{}{}</div>').format(title, html.table(heads, rows, caption))

    def _cell(self, cell: Selection, count: int, of: int, right: bool) -> Markup:
        if not count:
            return Markup('<span class="ft-quiet">0</span>')
        chosen = all(
            getattr(self._selection, name) == getattr(cell, name)
            for name in ("side", "field", "wanted", "given")
        )
        # What is right and wrong in these rows is then said of this field.
        measure = f"{cell.field}_accuracy"
        known = {one.name for one in self._looked.analysis.measures}
        to = self._having(
            side=cell.side, field=cell.field, wanted=cell.wanted, given=cell.given, error=""
        ).having(measure=measure if measure in known else self._selection.measure)
        labels = self._looked.analysis.labels(cell.field)
        return Markup(
            '<a class="ft-cell {}" style="--share:{}%" href="{}" aria-label="{}: {}"{}>{}</a>'
        ).format(
            "ft-hit" if right else "ft-miss",
            round(100 * count / of),
            self._address(to),
            names.cell_name(cell, labels, self._lang),
            self._number(count),
            Markup(' aria-current="true"') if chosen else "",
            self._number(count),
        )

    def _error_link(self, kind: str, side: str, count: int | None) -> str:
        if not count:
            return "–" if count is None else "0"
        to = self._having(error=kind, side=side, field="", wanted=None, given=None)
        said = f"{self._say(f'mistakes.side.{side}')}: {names.error_name(kind, self._lang)}"
        return Markup('<a href="{}" aria-label="{}: {}">{}</a>').format(
            self._address(to), said, self._number(count), self._number(count)
        )

    def _slice(self, one: Slice) -> tuple[str, ...]:
        measure, lang = self._measure, self._lang
        to = self._having(slice=one.dimension.key, value=one.value)
        interval = (
            "–" if one.low is None
            else f"{names.change(one.low, measure, lang)} … {names.change(one.high, measure, lang)}"
        )  # fmt: skip
        tones: dict[str, tuple[str, str]] = {
            "few": ("plain", ""), "worse": ("bad", "▼ "), "weak": ("warn", "! "), "better": ("good", "▲ "), "nothing": ("plain", ""),
        }  # fmt: skip
        tone, sign = tones[one.says]
        return (
            html.link_text(self._address(to), names.slice_name(one.dimension, one.value, lang)),
            self._number(one.rows),
            names.score(one.base, measure, lang),
            Markup("<strong>{}</strong>").format(names.score(one.tuned, measure, lang)),
            names.change(one.difference, measure, lang),
            interval,
            html.pill(tone, sign + self._say(f"mistakes.slices.{one.says}")),  # type: ignore[arg-type]
        )

    def _having(self, **changes: object) -> Selection:
        return self._selection.having(**changes)

    def _address(self, selection: Selection) -> str:
        return names.address(self._id, selection)

    def _measure_name(self) -> str:
        return names.measure_name(self._measure, self._looked.report, self._lang)

    def _number(self, value: int) -> str:
        return html.number(value, self._lang)

    def _say(self, key: str, **values: object) -> str:
        return say(key, self._lang, **values)
