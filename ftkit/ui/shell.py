"""The frame around every page: brand, navigation, language switch, skip link, title; written into the page's HTML itself.

Takes the HTML that Gradio sends and the address that was asked for, gives the same page with its frame, in the reader's
language. So the frame is seen before any script has run, and works without one. It knows no request and no workspace.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

from markupsafe import Markup

from ftkit.ui.i18n import LANGUAGES, say
from ftkit.ui.theme import CONTENT_CSS, SHELL_CSS

PAGES = (
    *("home", "data", "model", "train", "runs", "evaluate", "compare", "ratings"),
    *("export", "serve", "monitor", "settings"),
)
# Reached from another page, which stays the current one in the navigation.
SUBPAGES: Mapping[str, str] = {
    "check": "data",
    "clean": "data",
    "tokens": "data",
    "curves": "runs",
    "sweeps": "train",
    "mistakes": "evaluate",
}

# What a person works on goes along from page to page.
_KEPT = frozenset({"dataset", "split", "model", "run"})
_SEPARATED = frozenset({"data", "settings"})
_CONTENT = "content"

_MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"{}><rect width="32" height="32" rx="9"{}/>'
    '<path d="M10 6.5v7a6 6 0 0 0 12 0v-7M16 19.5v6" fill="none" stroke-width="3.2" stroke-linecap="round"{}/></svg>'
)
_ICON = _MARK.format(' xmlns="http://www.w3.org/2000/svg"', ' fill="#15695f"', ' stroke="#fff"')
ICON_LINK = Markup('<link rel="icon" type="image/svg+xml" href="data:image/svg+xml,{}">').format(quote(_ICON))
BRAND = Markup(_MARK.format("", "", "") + "ftkit")  # noqa: S704 - a constant of ours

_STROKES: Mapping[str, str] = {
    "home": "M4 11.5 12 5l8 6.5M6 10v9h12v-9M10 19v-5h4v5",
    "data": "M4 6c0-1.4 3.6-2.5 8-2.5S20 4.6 20 6s-3.6 2.5-8 2.5S4 7.4 4 6Zm0 0v6c0 1.4 3.6 2.5 8 2.5s8-1.1 8-2.5V6"
    "M4 12v6c0 1.4 3.6 2.5 8 2.5s8-1.1 8-2.5v-6",
    "model": "m12 3 8 4.5v9L12 21l-8-4.5v-9L12 3Zm0 9 8-4.5M12 12 4 7.5M12 12v9",
    "train": "M13 3 5 13.5h6L10 21l9-11h-6.5L13 3Z",
    "runs": "M3 5v15h18M6.5 8c2 7 4.5 8 13.5 8.5",
    "evaluate": "m4 6 1.5 1.5L8 5M4 12l1.5 1.5L8 11M4 18l1.5 1.5L8 17M12 6h8M12 12h8M12 18h8",
    "compare": "M4 5h6.5v14H4zM13.5 5H20v14h-6.5z",
    "ratings": "M8 20H4.5V10.5H8M8 20V10.5L12 3.5c1.7 0 2.6 1.3 2.2 2.9L13.4 10H19c1.2 0 2 1 1.7 2.2l-1.5 6.2A2 2 0 0 1 17.2 20H8Z",
    "export": "M12 15V4M8 7.5 12 3.5l4 4M5 12H4v8h16v-8h-1",
    "serve": "M5 4h14v6H5zM5 14h14v6H5zM8 7h.01M8 17h.01M12 7h4M12 17h4",
    "monitor": "M3 12h4l2.5-6.5 5 13L17 12h4",
    "settings": "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
    "menu": "M4 7h16M4 12h16M4 17h16",
}
_MENU_SCRIPT = Markup(
    "<script>(b=>b.onclick=()=>b.setAttribute('aria-expanded',b.getAttribute('aria-expanded')!='true'))"
    "(document.querySelector('.ft-menu'))</script>"
)
_SHELL = Markup(  # noqa: S704 - constants of ours
    '<a class="ft-skip" href="{here}#' + _CONTENT + '">{skip}</a><header class="ft-shell">'
    '<a class="ft-brand" href="/">{brand}</a>'
    '<button class="ft-menu" type="button" aria-expanded="false" aria-controls="ft-nav" aria-label="{menu}">{bars}</button>'
    '<nav id="ft-nav" aria-label="{pages}">{links}</nav>{switch}</header>{script}'
)
_SWITCH = Markup(
    '<form class="ft-language" method="post" action="/language" aria-label="{}"><input type="hidden" name="back" value="{}">'
    "{}</form>"
)
_CHOICE = Markup(
    '<button name="lang" value="{code}" lang="{code}" aria-pressed="{pressed}" aria-label="{name}">'
    '<span class="ft-long">{name}</span><span class="ft-short">{short}</span></button>'
)
_ASSETS = Path(__file__).parent / "assets"
_ANSWERS = (_ASSETS / "answers.js").read_text(encoding="utf-8")
_COPY = (_ASSETS / "copy.js").read_text(encoding="utf-8")
# What a single page has beside it.
_OWN_SCRIPTS = {
    "runs": (_ASSETS / "ended.js").read_text(encoding="utf-8"),
    "ratings": _COPY,
    "serve": _COPY,
}
# Gradio takes its language from the browser: the chosen one has to stand there before its scripts run, and so has what
# mends its way of fetching answers.
_HEAD = Markup(
    "<script>for(const[k,v]of[['language',{lang}],['languages',[{lang}]]])"
    "Object.defineProperty(navigator,k,{{get:()=>v}})</script><script>{answers}</script>"
    "{own}<title>{title}</title>{icon}<style>{css}{toasts}</style>"
)
_TOASTS = ("error", "warning", "info")
# A marker of ``t`` inside a string of the page's JSON. The browser would translate only the first one of each string.
_MARKER = re.compile(r'__i18n__\{\\"__type__\\": \\"translation_metadata\\", \\"key\\": \\"([^"\\]+)\\"\}')
_ADVERTISING = re.compile(r'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>|<link rel="manifest"[^>]*>')


def dress(html: str, path: str, query: str, lang: str) -> str:
    """Gradio's page with ftkit's frame; anything else stays as it is."""
    if "<gradio-app" not in html:
        return html
    page = path.strip("/") or "home"
    title = _title(page, lang)
    html = _MARKER.sub(lambda marker: _in_script(say(marker[1], lang)), _ADVERTISING.sub("", html))
    html = html.replace('lang="en"', f'lang="{lang}"', 1)
    html = html.replace("<head>", f"<head>{_head(page, title, lang)}", 1)
    set_title = f'<script>window.gradio_config.title="{_in_script(title)}"</script><script data-gradio-mode>'
    html = html.replace("<script data-gradio-mode>", set_title, 1)
    frame = _frame(page, path, query, lang)
    return html.replace("<gradio-app", f'{frame}<gradio-app id="{_CONTENT}" tabindex="-1"', 1)


def language_switch(here: str, lang: str) -> Markup:
    """A form that chooses the language and comes back to ``here``."""
    choices = Markup("").join(
        _CHOICE.format(code=code, pressed=str(code == lang).lower(), name=name, short=code.upper())
        for code, name in LANGUAGES.items()
    )
    return _SWITCH.format(say("shell.language", lang), here, choices)


def _title(page: str, lang: str) -> str:
    if page in PAGES:
        return say(f"shell.nav.{page}", lang) + " · ftkit"
    return say(f"{page}.title", lang) + " · ftkit" if page in SUBPAGES else "ftkit"


def _head(page: str, title: str, lang: str) -> Markup:
    css = Markup(SHELL_CSS + CONTENT_CSS)  # noqa: S704 - constants of ours
    answers = Markup(_ANSWERS)  # noqa: S704 - as above
    script = _OWN_SCRIPTS.get(page)
    own = Markup(f"<script>{script}</script>") if script else ""  # noqa: S704 - as above
    return _HEAD.format(
        lang=Markup(json.dumps(lang)),  # noqa: S704 - a constant of ours
        answers=answers,
        own=own,
        title=title,
        icon=ICON_LINK,
        css=css,
        toasts=_toasts(lang),
    )


def _toasts(lang: str) -> Markup:
    """The word above a toast; Gradio always writes the English name of its kind there."""
    words = (
        f".toast-title.{kind}::before{{content:{json.dumps(say(f'shell.toast.{kind}', lang), ensure_ascii=False)}}}"
        for kind in _TOASTS
    )
    return Markup("".join(words))  # noqa: S704 - texts of ours


def _in_script(text: str) -> str:
    """The inside of a JSON string that can stand in a script element."""
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("<", "\\u003c")


def _frame(page: str, path: str, query: str, lang: str) -> Markup:
    here = f"{path}?{query}" if query else path
    kept = urlencode([(key, value) for key, value in parse_qsl(query) if key in _KEPT])
    return _SHELL.format(
        here=here,
        skip=say("shell.skip", lang),
        brand=BRAND,
        menu=say("shell.menu", lang),
        bars=_icon("menu"),
        pages=say("shell.pages", lang),
        links=Markup("").join(_link(name, kept, name == SUBPAGES.get(page, page), lang) for name in PAGES),
        switch=language_switch(here, lang),
        script=_MENU_SCRIPT,
    )


def _link(name: str, kept: str, current: bool, lang: str) -> Markup:
    address = "/" if name == "home" else f"/{name}"
    return Markup('{}<a href="{}"{}>{}<span>{}</span></a>').format(
        Markup("<hr>") if name in _SEPARATED else "",
        f"{address}?{kept}" if kept else address,
        Markup(' aria-current="page"') if current else "",
        _icon(name),
        say(f"shell.nav.{name}", lang),
    )


def _icon(name: str) -> Markup:
    return Markup(
        '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round"'
        ' stroke-linejoin="round" aria-hidden="true"><path d="{}"/></svg>'
    ).format(_STROKES[name])
