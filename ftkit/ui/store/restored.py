"""The banner that says which backup took the place of the database, and what that changed.

Takes a ``Restoration``, gives HTML; text of SQLite and names of folders are escaped. It decides nothing.
"""

from markupsafe import Markup

from ftkit.records import Restoration, RowCount
from ftkit.ui import html
from ftkit.ui.i18n import say

_NAMED = frozenset(
    {"upload", "dataset", "split", "run", "sweep", "evaluation", "jobs", "artefact_parents", "ratings"}
)


def banner(done: Restoration | None, lang: str) -> Markup:
    """What happened; empty where nothing did, or where it was read."""
    if done is None:
        return Markup("")
    when = done.backup_made_at.astimezone().strftime("%Y-%m-%d %H:%M")
    said = say(f"restored.{done.cause}", lang, reason=done.reason, when=when)
    parts = [html.paragraph(said)]
    if done.set_aside:
        parts += [html.paragraph(say("restored.set_aside", lang, file=done.set_aside)), _rows(done, lang)]
    if done.folders:
        folders = html.join(Markup("<li>{}</li>").format(folder) for folder in done.folders)
        count = html.number(len(done.folders), lang)
        parts.append(
            html.details(say("restored.folders", lang, n=count), Markup("<ul>{}</ul>").format(folders))
        )
    return html.notice("warn", html.join(parts))


def _rows(done: Restoration, lang: str) -> Markup:
    changed = [row for row in done.rows if row.differs]
    if not changed:
        return html.paragraph(say("restored.same", lang))
    headers = [say(f"restored.column.{key}", lang) for key in ("name", "before", "now")]
    cells = [(_name(row.name, lang), _before(row, lang), html.number(row.now, lang)) for row in changed]
    return html.table(headers, cells, say("restored.caption", lang))


def _name(name: str, lang: str) -> str:
    return say(f"restored.row.{name}", lang) if name in _NAMED else name


def _before(row: RowCount, lang: str) -> str:
    if row.before is None:
        return say("restored.unreadable", lang)
    count = html.number(row.before, lang)
    return count if row.exact else say("restored.readable", lang, n=count)
