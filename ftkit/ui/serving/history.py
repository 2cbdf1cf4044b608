"""All versions, each with its smoke test, and what happened to them, newest first.

Takes records of serving, gives escaped ``Markup``. It switches nothing.
"""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ftkit.serving.versions.standing import Event, Version
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.serving import names, smoke

VERSIONS_SHOWN, EVENTS_SHOWN = 20, 30
_HEADS = ("label", "engine", "state", "smoke", "at")


def versions(found: Sequence[Version], lang: str) -> Markup:
    """A line each, with the test behind a fold."""
    if not found:
        return html.paragraph(say("serve.versions.none", lang))
    heads = [say(f"serve.versions.{key}", lang) for key in _HEADS]
    rows = [_version(one, lang) for one in found[:VERSIONS_SHOWN]]
    tests = html.join(_test(one, lang) for one in found[:VERSIONS_SHOWN])
    return html.table(heads, rows, say("serve.versions.title", lang)) + tests


def events(found: Sequence[Event], labels: Mapping[str, str], lang: str) -> Markup:
    """What happened, in sentences.

    Args:
        found: events, newest first.
        labels: names of the versions by id.
        lang: ``en`` or ``tr``.
    """
    if not found:
        return html.paragraph(say("serve.events.none", lang))
    heads = [say(f"serve.events.{key}", lang) for key in ("at", "event", "by")]
    rows = [
        (html.moment(one.at), _sentence(one, labels, lang), names.by(one.by, lang))
        for one in found[:EVENTS_SHOWN]
    ]
    return html.table(heads, rows, say("serve.events.title", lang))


def _version(version: Version, lang: str) -> tuple[str, ...]:
    state = names.state(version.state, lang)
    if version.state == "canary":
        state += Markup(" {}").format(html.percent(version.share, lang))
    return (
        version.label,
        names.engine(version.engine, lang),
        state,
        smoke.short(version, lang),
        html.moment(version.changed_at),
    )


def _test(version: Version, lang: str) -> Markup:
    table = smoke.shown(version, lang)
    return html.details(say("serve.smoke.title", lang, label=version.label), table) if table else table


def _sentence(event: Event, labels: Mapping[str, str], lang: str) -> str:
    label = labels.get(event.version or "", event.version or "")
    share = html.percent(event.values.get("share"), lang)
    return say(f"serve.event.{event.event}", lang, label=label, share=share)
