"""What the ratings of a study will teach, before a click makes data of them: rows, what is left out and why, the rules.

Takes the counts of ``preferences.rules``, gives escaped ``Markup``. It applies no rule.
"""

from collections.abc import Mapping

from markupsafe import Markup

from ftkit.ratings.preferences.rules import NOT_COUNTED, REASONS
from ftkit.ui import html
from ftkit.ui.i18n import say

_NOT_COUNTED = tuple(f"ratings_{reason}" for reason in NOT_COUNTED)
_RULES = ("counts", "edits", "votes", "nothing")


def told(counts: Mapping[str, int], lang: str) -> Markup:
    """How many rows there will be, or that there is nothing to learn; what is not used; and by which rules."""
    values = {name: html.number(count, lang) for name, count in counts.items()}
    rows = say("ratings.next.rows" if counts["rows"] else "ratings.next.no_rows", lang, **values)
    lines = [html.notice("good" if counts["rows"] else "warn", rows)]
    unused = [
        say(f"ratings.next.unused.{reason}", lang, n=values[reason])
        for reason in (*REASONS, *_NOT_COUNTED)
        if counts[reason]
    ]
    if unused:
        lines.append(html.paragraph(say("ratings.next.unused", lang, what=", ".join(unused))))
    rules = html.join(Markup("<li>{}</li>").format(say(f"ratings.rule.{one}", lang)) for one in _RULES)
    lines.append(html.details(say("ratings.next.rules", lang), Markup("<ol>{}</ol>").format(rules)))
    return html.join(lines)
