"""What cleaning does, as HTML: the difference between two texts, a preview, the counts of a run, the history of an editor.

Takes values, gives ``Markup`` that is escaped throughout. It decides nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from markupsafe import Markup

from ftkit.data.cleaning.running import Summary
from ftkit.data.editing.service import Draft
from ftkit.records import Dataset
from ftkit.ui import html
from ftkit.ui.i18n import say, say_phrase

_WORDS = re.compile(r"\w+|\s|[^\w\s]")
_LONE_SPACE = re.compile(r"(?<=\S) (?=\S)")
_MOST_WORDS = 3_000
_AROUND = 60  # characters of unchanged text shown beside a change
_CELL = 200
_Code = tuple[str, int, int, int, int]
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def difference(before: str, after: str, lang: str) -> Markup:
    """Two texts as one, with what went struck out and what came underlined; long unchanged parts are left out."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > _MOST_WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    parts: list[Markup] = []
    codes = _joined(SequenceMatcher(None, old, new, autojunk=False).get_opcodes(), old)
    for place, (kind, a, b, c, d) in enumerate(codes):
        if kind == "equal":
            parts.append(_unchanged("".join(old[a:b]), place == 0, place == len(codes) - 1))
            continue
        parts.append(_marked("del", "".join(old[a:b]), lang))
        parts.append(_marked("ins", "".join(new[c:d]), lang))
    return Markup('<div class="ft-answer ft-diff">{}</div>').format(html.join(parts))


def preview(told: Mapping[str, Any], dataset: Dataset, lang: str) -> Markup:
    """What the steps would do: counts, rows that change, rows that go."""
    looked = say(
        "clean.preview.looked", lang, n=html.number(told["rows"], lang), all=html.number(dataset.rows, lang)
    )
    parts = [html.paragraph(looked), counts(told, lang), reasons(told["dropped"], lang)]
    if not told["changes"] and not told["drops"]:
        parts.append(html.notice("good", say("clean.preview.nothing", lang)))
    if told["changes"]:
        changes = html.join(_change(one, lang) for one in told["changes"])
        parts.append(html.details(say("clean.preview.changes", lang), changes, open_=True))
    if told["drops"]:
        drops = _drops(told["drops"], lang)
        parts.append(html.details(say("clean.preview.drops", lang), drops, open_=True))
    return html.join(parts)


def counts(told: Mapping[str, Any], lang: str) -> Markup:
    """Rows before, left, changed and gone."""
    gone = sum(told["dropped"].values())
    values = {"rows": told["rows"], "kept": told["kept"], "changed": told["changed"], "dropped": gone}
    pairs = [(say(f"clean.fact.{key}", lang), html.number(value, lang)) for key, value in values.items()]
    return Markup('<div class="ft-figures">{}</div>').format(html.facts(pairs))


def reasons(dropped: Mapping[str, int], lang: str) -> Markup:
    """How many rows went for which reason."""
    if not dropped:
        return Markup("")
    rows = [(say_phrase(why, lang), html.number(count, lang)) for why, count in dropped.items()]
    headers = [say("clean.reason.why", lang), say("clean.reason.rows", lang)]
    return html.table(headers, rows, say("clean.reason.caption", lang))


def steps_table(summary: Summary, lang: str) -> Markup:
    """What each step did."""
    headers = [say(f"clean.step.{key}", lang) for key in ("name", "changed", "dropped")]
    rows = [
        (step_title(one.step, lang), html.number(one.changed, lang), html.number(one.dropped, lang))
        for one in summary.by_step
    ]
    return html.table(headers, rows, say("clean.step.caption", lang))


def step_title(name: str, lang: str) -> str:
    """A step's name for people."""
    return say("clean.step.by_hand", lang) if name == "edit_rows" else say(f"steps.{name}.title", lang)


def result(summary: Summary, new: Dataset, lang: str) -> Markup:
    """What a finished cleaning did, and where its dataset is."""
    text = say("clean.result.done", lang, name=new.name, kept=html.number(summary.kept, lang))
    return html.join(
        [
            html.notice("good", text),
            counts(summary.model_dump(), lang),
            reasons(summary.dropped, lang),
            html.details(say("clean.result.steps", lang), steps_table(summary, lang)),
            html.actions(
                html.link(html.url("data", dataset=new.id), say("clean.result.open", lang), primary=True)
            ),
        ]
    )


def edits(draft: Draft, lang: str) -> Markup:
    """The corrections of a draft, newest first, each as a difference."""
    if not draft.edits:
        return html.paragraph(say("clean.edit.none", lang))
    headers = [say(f"clean.edit.{key}", lang) for key in ("number", "row", "field", "what", "state")]
    rows = [
        (
            str(one.number),
            html.number(one.row + 1, lang),
            place(one.place),
            difference(one.before, one.after, lang),
            html.pill("plain", say("clean.edit.back", lang))
            if one.number in draft.back
            else html.pill("good", say("clean.edit.valid", lang)),
        )
        for one in reversed(draft.edits)
    ]
    return html.table(headers, rows, say("clean.edit.history", lang))


def place(parts: Sequence[str | int]) -> str:
    """Where a text stands in a row: a column, and further down inside it."""
    return " › ".join(str(part + 1) if isinstance(part, int) else part for part in parts)


def _change(one: Mapping[str, Any], lang: str) -> Markup:
    by = ", ".join(step_title(name, lang) for name in dict.fromkeys(one["steps"]))
    head = say("clean.preview.row", lang, n=html.number(one["row"] + 1, lang))
    body = html.join(
        Markup('<p class="ft-quiet">{}</p>{}').format(
            part["place"], difference(part["before"], part["after"], lang)
        )
        for part in one["texts"]
    )
    return Markup('<div class="ft-change"><h3>{} <small>{}</small></h3>{}</div>').format(head, by, body)


def _drops(drops: Iterable[Mapping[str, Any]], lang: str) -> Markup:
    headers = [say(f"clean.drop.{key}", lang) for key in ("row", "why", "text")]
    rows = []
    for one in drops:
        why = say_phrase(one["reason"], lang)
        if one["like"] is not None:
            why = say("clean.drop.like", lang, why=why, n=html.number(one["like"] + 1, lang))
        rows.append((html.number(one["row"] + 1, lang), why, html.shorten(one["text"], _CELL)))
    return html.table(headers, rows, say("clean.preview.drops", lang))


def _joined(codes: Sequence[_Code], old: Sequence[str]) -> list[_Code]:
    """Changes with nothing but a space between them as one: words that change in a row are read as a row."""
    joined: list[_Code] = []
    for place, code in enumerate(codes):
        kind, _, b, _, d = code
        inside = 0 < place < len(codes) - 1
        if joined and joined[-1][0] == "replace" and (kind != "equal" or (inside and _is_gap(code, old))):
            _, a, _, c, _ = joined.pop()
            joined.append(("replace", a, b, c, d))
        else:
            joined.append(code)
    return joined


def _is_gap(code: _Code, old: Sequence[str]) -> bool:
    return code[2] - code[1] == 1 and old[code[1]] == " "


def _unchanged(text: str, first: bool, last: bool) -> Markup:
    head = "" if first else text[:_AROUND]
    tail = "" if last else text[-_AROUND:]
    if len(text) <= len(head) + len(tail) + 3:
        return Markup("{}").format(text)
    return Markup('{}<span class="ft-quiet"> … </span>{}').format(head, tail)


def _marked(tag: str, text: str, lang: str) -> Markup:
    if not text:
        return Markup("")
    frame = Markup('<ins aria-label="{}">{}</ins>' if tag == "ins" else '<del aria-label="{}">{}</del>')  # noqa: S704  constants
    pieces = _LONE_SPACE.split(text)
    shown = Markup(" ").join(html.join(map(_visible, piece)) for piece in pieces)
    return frame.format(say(f"clean.diff.{tag}", lang), shown)


def _visible(character: str) -> str:
    """A character of a change, also where there is nothing to see of it."""
    if character == " ":
        return "␣"
    if character == "\n":
        return "↵\n"
    if character.isspace() or unicodedata.category(character) in _INVISIBLE:
        return f"⟨U+{ord(character):04X}⟩"
    return character
