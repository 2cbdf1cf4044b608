"""Building blocks of escaped HTML: tables, facts, notices, links, and numbers in the reader's way of writing.

Takes plain values, gives ``Markup``: whatever is not ``Markup`` already is escaped, so that text from files and models can
never become a tag. It knows no record.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from markupsafe import Markup

from ftkit.ui.i18n import say

Tone = Literal["info", "good", "warn", "bad"]
_MINUTE, _HOUR = 60, 3600
_MEGABYTE, _GIGABYTE = 1e6, 1000


def answer(text: str, lang: str) -> Markup:
    """Text of a model or a file, as it stands; a note where there is nothing to see in it."""
    if not text.strip():
        return Markup('<div class="ft-answer ft-blank">{}</div>').format(
            say("views.blank", lang) if text else "–"
        )
    return Markup('<div class="ft-answer">{}</div>').format(text.strip("\n"))


def join(parts: Iterable[str]) -> Markup:
    """One after another, each escaped."""
    return Markup("").join(parts)


def url(page: str, **ids: str | None) -> str:
    """Address of a page with its ids, leaving out what is not given."""
    query = urlencode({key: value for key, value in ids.items() if value})
    return f"/{page}?{query}" if query else f"/{page}"


def link(href: str, text: str, primary: bool = False) -> Markup:
    """A link that looks like a button when it is the next step."""
    kind = "ft-button ft-primary" if primary else "ft-button"
    return Markup('<a class="{}" href="{}">{}</a>').format(kind, href, text)


def link_text(href: str, text: str) -> Markup:
    """A plain link."""
    return Markup('<a href="{}">{}</a>').format(href, text)


def actions(*links: str) -> Markup:
    """Links in a row."""
    return Markup('<p class="ft-actions">{}</p>').format(join(links))


def heading(text: str, note: str = "") -> Markup:
    """A heading inside a page, with a quieter note beside it."""
    return Markup('<h2 class="ft-title">{} <small>{}</small></h2>').format(text, note)


def paragraph(text: str) -> Markup:
    """One paragraph."""
    return Markup("<p>{}</p>").format(text)


def notice(tone: Tone, text: str) -> Markup:
    """A sentence that must be seen; the tone is also said by a sign, not only by colour."""
    sign = {"info": "i", "good": "✓", "warn": "!", "bad": "✕"}[tone]
    return Markup(
        '<div class="ft-notice ft-{}"><span class="ft-sign" aria-hidden="true">{}</span><div>{}</div></div>'
    ).format(tone, sign, text)


def waiting(text: str) -> Markup:
    """What is being done at the moment."""
    return Markup('<p class="ft-quiet ft-waiting" role="status">{}</p>').format(text)


def empty(title: str, text: str, *links: str) -> Markup:
    """What stands where there is nothing yet: what it is for, and what to do next."""
    return Markup('<div class="ft-empty"><h3>{}</h3><p>{}</p>{}</div>').format(
        title, text, actions(*links) if links else ""
    )


def facts(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Names and values side by side."""
    cells = (Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value) for name, value in pairs)
    return Markup('<dl class="ft-facts">{}</dl>').format(join(cells))


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], caption: str, chosen: int | None = None
) -> Markup:
    """A table; ``caption`` is read out and not shown, ``chosen`` marks a row."""
    head = join(Markup('<th scope="col">{}</th>').format(text) for text in headers)
    body = join(_row(cells, index == chosen) for index, cells in enumerate(rows))
    return Markup(
        '<div class="ft-scroll" tabindex="0" role="region" aria-label="{0}"><table class="ft-table">'
        '<caption class="ft-unseen">{0}</caption><thead><tr>{1}</tr></thead><tbody>{2}</tbody></table></div>'
    ).format(caption, head, body)


def details(summary: str, body: str, open_: bool = False) -> Markup:
    """Something that unfolds."""
    return Markup('<details class="ft-details"{}><summary>{}</summary>{}</details>').format(
        Markup(" open") if open_ else "", summary, body
    )


def bar(share: float, text: str) -> Markup:
    """A progress bar with its text below; ``share`` from 0 to 1."""
    percent_done = round(100 * min(1.0, max(0.0, share)))
    return Markup(
        '<div class="ft-progress"><div class="ft-bar" role="progressbar" aria-valuemin="0" aria-valuemax="100"'
        ' aria-valuenow="{0}" aria-label="{1}"><span style="width:{0}%"></span></div><p>{1}</p></div>'
    ).format(percent_done, text)


def pill(tone: Tone | Literal["plain"], text: str) -> Markup:
    """A short word that stands out."""
    return Markup('<span class="ft-pill ft-{}">{}</span>').format(tone, text)


def number(value: float | None, lang: str, digits: int | None = None) -> str:
    """A number as it is written in the language; a dash for none, a word for what is not finite.

    Args:
        value: what to write.
        lang: ``en`` or ``tr``.
        digits: behind the point; without it whole numbers are written whole and others with four figures.
    """
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "∞" if value > 0 else "–∞" if value < 0 else say("views.not_a_number", lang)
    text = f"{value:,.{_digits(value) if digits is None else digits}f}"
    return text.translate(str.maketrans(",.", ".,")) if lang == "tr" else text


def rate(value: float | None, lang: str) -> str:
    """A number that may be very small, such as a learning rate."""
    small = value is not None and 0 < abs(value) < 0.001  # noqa: PLR2004
    return number(value, lang) if value is None or not small else f"{value:.2e}"


def percent(share: float | None, lang: str, digits: int = 0) -> str:
    """A share from 0 to 1 as a percentage."""
    if share is None:
        return "–"
    text = number(100 * share, lang, digits)
    return f"%{text}" if lang == "tr" else f"{text}%"


def megabytes(value: float | None, lang: str) -> str:
    """Megabytes, or gigabytes where there are a thousand of them."""
    if value is None:
        return "–"
    return (
        f"{number(value / _GIGABYTE, lang, 1)} GB" if value >= _GIGABYTE else f"{number(value, lang, 0)} MB"
    )


def file_size(value: int, lang: str) -> str:
    """Bytes, for people."""
    if value < _MEGABYTE:
        return f"{number(value / 1000, lang, 1)} KB"
    return megabytes(value / _MEGABYTE, lang)


def duration(seconds: float | None, lang: str) -> str:
    """How long something takes, to a precision that makes sense."""
    if seconds is None:
        return "–"
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return say("views.seconds", lang, n=whole)
    if whole < _HOUR:
        return say("views.minutes", lang, n=whole // _MINUTE, s=whole % _MINUTE)
    return say("views.hours", lang, n=whole // _HOUR, m=whole % _HOUR // _MINUTE)


def moment(when: datetime) -> Markup:
    """A point in time in the server's zone."""
    return Markup('<time datetime="{}">{}</time>').format(
        when.isoformat(timespec="seconds"), when.astimezone().strftime("%Y-%m-%d %H:%M")
    )


def shorten(text: str, limit: int) -> str:
    """The beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _row(cells: Sequence[str], chosen: bool) -> Markup:
    body = join(Markup("<td>{}</td>").format(cell) for cell in cells)
    return Markup("<tr{}>{}</tr>").format(Markup(' aria-current="true"') if chosen else "", body)


def _digits(value: float) -> int:
    if value == int(value):
        return 0
    return max(0, 3 - math.floor(math.log10(abs(value)))) if abs(value) >= 0.001 else 6  # noqa: PLR2004
