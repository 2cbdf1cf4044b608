"""The page of a rater: one HTML document that is the same for everybody and asks for nothing but its tasks.

Takes a language, gives a whole document with its script and style in it. No study, no rater and no model stand in it: all that
comes later over ``/rate/api``. It is outside Gradio and imports no service.
"""

import json
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from ftkit.ui.i18n import catalogue, say
from ftkit.ui.shell import BRAND, ICON_LINK, language_switch
from ftkit.ui.theme import SHELL_CSS

ADDRESS = "/rate"
Message = Literal["no_link", "wrong_link", "revoked", "too_many"]

_ASSETS = Path(__file__).parents[1] / "assets" / "rate"
# In this order, as one module: each uses what stands before it.
_SCRIPTS = ("dom", "keep", "send", "task", "keys", "flow")
_SCRIPT = "\n".join((_ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
_CSS = SHELL_CSS + (_ASSETS / "rate.css").read_text(encoding="utf-8")

_DOCUMENT = Markup(
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
    '{icon}<style>{css}</style></head><body class="rate">{body}</body></html>'
)
_FRAME = Markup(  # noqa: S704 - constants of ours
    '<a class="ft-skip" href="#content">{skip}</a>'
    '<header class="top"><div class="inner"><div class="ft-brand" aria-hidden="true">{brand}</div>'
    '<h1 id="title">{title}</h1>{more}{switch}</div></header>'
)
_PROGRESS = Markup(
    '<div id="top" hidden><progress id="bar" aria-label="{label}" aria-describedby="progress" value="0" max="1"></progress>'
    '<span id="progress"></span><button type="button" id="mine" class="quiet" hidden>{mine}</button></div>'
)
_BODY = Markup(
    '{frame}<div id="offline" class="banner" role="status" hidden><span>{offline}</span>'
    '<button type="button" id="try-now">{now}</button></div>'
    '<div class="inner page"><p id="status" role="status" aria-live="polite"></p>'
    '<details id="guidelines" hidden><summary>{guidelines}</summary><p id="guidelines-text" class="said" dir="auto"></p></details>'
    '<main id="content" tabindex="-1"><h2 id="heading" class="loading" tabindex="-1">{loading}</h2>'
    '<noscript><p class="problem">{script}</p></noscript></main></div>{dialogs}'
    '<script type="application/json" id="words">{words}</script><script type="module">{code}</script>'
)
_DIALOGS = Markup(
    '<dialog id="mine-dialog" aria-labelledby="mine-title"><h2 id="mine-title">{mine}</h2><p class="hint">{mine_text}</p>'
    '<ol id="mine-list"></ol><button type="button" class="close">{close}</button></dialog>'
    '<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">{keys}</h2><dl>{rows}</dl>'
    '<label class="flag" for="keys-on"><input type="checkbox" id="keys-on" aria-describedby="keys-hint"><span>{on}</span></label>'
    '<p class="hint" id="keys-hint">{hint}</p><button type="button" class="close">{close}</button></dialog>'
)
_KEYS = {
    "choose": ("A", "B", "=", "X"),
    "numbers": ("1", "2", "3 …"),
    "arrows": ("↑", "↓"),
    "submit": ("Enter",),
    "skip": ("S",),
    "help": ("?",),
}
_MESSAGE = Markup(
    '{frame}<div class="inner"><main id="content" tabindex="-1"><section class="message" data-state="{key}">'
    '<span class="icon" aria-hidden="true">{icon}</span><h2>{title}</h2><p>{text}</p></section></main></div>'
)
_ICONS = {"no_link": "→", "wrong_link": "?", "revoked": "×", "too_many": "…"}


def page(lang: str) -> str:
    """The page with nothing in it yet; its script asks for the first task."""
    body = _BODY.format(
        frame=_frame(lang, progress=True),
        offline=say("rater.offline", lang),
        now=say("rater.offline.now", lang),
        guidelines=say("rater.guidelines", lang),
        loading=say("rater.loading", lang),
        script=say("rater.script", lang),
        dialogs=_dialogs(lang),
        words=Markup(_words(lang)),  # noqa: S704 - escaped for a script element
        code=Markup(_SCRIPT),  # noqa: S704 - a constant of ours
    )
    return _document(say("rater.title", lang), body, lang)


def message_page(key: Message, lang: str) -> str:
    """A page in words for whoever has no valid link."""
    title = say(f"rater.{key}.title", lang)
    body = _MESSAGE.format(
        frame=_frame(lang, progress=False),
        key=key,
        icon=_ICONS[key],
        title=title,
        text=say(f"rater.{key}.text", lang),
    )
    return _document(title, body, lang)


def _document(title: str, body: Markup, lang: str) -> str:
    css = Markup(_CSS)  # noqa: S704 - a constant of ours
    return str(_DOCUMENT.format(lang=lang, title=title, icon=ICON_LINK, css=css, body=body))


def _frame(lang: str, progress: bool) -> Markup:
    more = _PROGRESS.format(label=say("rater.progress.label", lang), mine=say("rater.mine", lang))
    return _FRAME.format(
        skip=say("rater.skip_link", lang),
        brand=BRAND,
        title=say("rater.title", lang),
        more=more if progress else "",
        switch=language_switch(ADDRESS, lang),
    )


def _dialogs(lang: str) -> Markup:
    rows = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(
            Markup(" ").join(Markup("<kbd>{}</kbd>").format(key) for key in keys),
            say(f"rater.keys.{name}", lang),
        )
        for name, keys in _KEYS.items()
    )
    return _DIALOGS.format(
        mine=say("rater.mine.title", lang),
        mine_text=say("rater.mine.text", lang),
        close=say("rater.close", lang),
        keys=say("rater.keys.title", lang),
        rows=rows,
        on=say("rater.keys.on", lang),
        hint=say("rater.keys.off.hint", lang),
    )


def _words(lang: str) -> str:
    words = {key: text for key, text in catalogue(lang).items() if key.startswith("rater.")}
    return json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
