"""What answers now, as the owner sees it: the live version with its canary, what is being tested, and what would come back.

Takes the state of serving, gives escaped ``Markup``. It switches nothing.
"""

from markupsafe import Markup

from ftkit.serving.versions.standing import ServingState, Version
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.serving import smoke
from ftkit.ui.serving.names import engine


def shown(state: ServingState, address: str, lang: str) -> Markup:
    """The whole of it.

    Args:
        state: of serving.
        address: that programs ask, with ``/v1``.
        lang: ``en`` or ``tr``.
    """
    parts = [html.heading(say("serve.now.title", lang))]
    if state.live is None:
        parts.append(_nothing(state, lang))
    else:
        parts += [_answering(state.live, state, lang), _facts(state, address, lang)]
    for version in state.trying:
        told = say("serve.now.trying", lang, label=version.label, engine=engine(version.engine, lang))
        meanwhile = say(f"serve.now.trying.{'kept' if state.live else 'free'}", lang)
        parts.append(html.waiting(f"{told} {meanwhile}"))
    return html.join(parts)


def refused(version: Version, live: Version | None, lang: str) -> Markup:
    """That a version did not pass its test, and what that means."""
    told = [say("serve.now.refused", lang, label=version.label, reason=smoke.reason(version, lang))]
    kept = say("serve.now.refused.kept", lang, label=live.label) if live else ""
    told.append(" ".join(filter(None, [kept, say("serve.now.refused.next", lang)])))
    return html.notice("bad", html.join(map(html.paragraph, told)))


def _nothing(state: ServingState, lang: str) -> Markup:
    text = "serve.now.none.back" if state.standby else "serve.now.none.text"
    return html.empty(say("serve.now.none.title", lang), say(text, lang))


def _answering(live: Version, state: ServingState, lang: str) -> Markup:
    """The versions that answer, side by side, with the share of each drawn."""
    share = state.share if state.canary else 0.0
    cards = [_version(live, "live", 1 - share, lang)]
    if state.canary is None:
        return Markup('<div class="ft-served">{}</div>').format(html.join(cards))
    cards.append(_version(state.canary, "canary", share, lang))
    split = say("serve.now.split", lang, live=html.percent(1 - share, lang), canary=html.percent(share, lang))
    return Markup(
        '<div class="ft-served">{}</div><div class="ft-split" role="img" aria-label="{}"><i style="width:{:.0f}%"></i><b></b></div>'
        '<p class="ft-quiet">{} {}</p>'
    ).format(html.join(cards), split, 100 * (1 - share), split, say("serve.now.split.why", lang))


def _version(version: Version, kind: str, share: float, lang: str) -> Markup:
    tone: html.Tone = "good" if kind == "live" else "info"
    return Markup('<section class="ft-version ft-{}">{}<h3>{}</h3><p>{}</p>{}</section>').format(
        kind,
        html.pill(tone, say(f"serve.now.{kind}", lang)),
        version.label,
        say("serve.now.gets", lang, share=html.percent(share, lang)),
        html.facts(
            [
                (say("serve.now.engine", lang), engine(version.engine, lang)),
                (say("serve.now.since", lang), html.moment(version.changed_at)),
                (say("serve.now.tested", lang), smoke.short(version, lang)),
            ]
        ),
    )


def _facts(state: ServingState, address: str, lang: str) -> Markup:
    back = state.standby[0].label if state.standby else say("serve.now.standby.none", lang)
    told = html.facts(
        [
            (say("serve.now.address", lang), Markup("<code>{}</code>").format(address)),
            (say("serve.now.standby", lang), back),
        ]
    )
    return told + html.actions(html.link("/monitor", say("serve.now.monitor", lang)))
