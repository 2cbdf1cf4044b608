"""The keys of the gateway as their owner sees them, and the one moment in which a new one is shown.

Takes views of the key service, gives escaped ``Markup``. It keeps no secret: what is shown once is gone with the page.
"""

from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from ftkit.serving.keys.service import KeyView, NewKey
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.serving import copying

_HEADS = ("name", "hint", "scopes", "limits", "used")


def table(found: Sequence[KeyView], lang: str) -> Markup:
    """Who may ask, for what, and how much; or that nobody may yet."""
    if not found:
        return html.notice("info", say("serve.keys.none", lang))
    heads = [say(f"serve.keys.{key}", lang) for key in _HEADS]
    return html.table(heads, [_row(one, lang) for one in found], say("serve.keys.title", lang))


def fresh(made: NewKey, lang: str) -> Markup:
    """A new key, to be copied now."""
    name = made.key.name
    shown = copying.line(made.secret, say("serve.key.copy_of", lang, name=name), lang, name)
    return html.notice("warn", say("serve.key.once", lang)) + shown


def _row(key: KeyView, lang: str) -> tuple[str, ...]:
    scopes = ", ".join(say(f"serve.scope.{scope}", lang) for scope in key.scopes)
    return (
        key.name,
        Markup("<code>{}</code>").format(key.hint),
        scopes,
        _limits(key, lang),
        _used(key, lang),
    )


def _limits(key: KeyView, lang: str) -> Markup:
    told = []
    if key.requests_per_minute is not None:
        told.append(say("serve.keys.per_minute", lang, n=html.number(key.requests_per_minute, lang)))
    if key.tokens_per_day is not None:
        told.append(say("serve.keys.per_day", lang, n=html.number(key.tokens_per_day, lang)))
    return Markup("<br>").join(told or [say("serve.keys.unlimited", lang)])


def _used(key: KeyView, lang: str) -> Markup:
    when = html.moment(key.last_used_at) if key.last_used_at else Markup(say("serve.keys.never", lang))  # noqa: S704 - a text of ours
    if key.state != "active":
        tone: html.Tone | Literal["plain"] = "plain" if key.state == "revoked" else "warn"
        return when + " " + html.pill(tone, say(f"serve.keys.{key.state}", lang))
    if key.expires_at is None:
        return when
    until = key.expires_at.astimezone().strftime("%Y-%m-%d")
    return when + Markup("<br><small>{}</small>").format(say("serve.keys.expires", lang, when=until))
