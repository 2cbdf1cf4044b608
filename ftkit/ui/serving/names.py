"""What a person calls the things of serving: engines, states, models that can be served.

Takes names, gives words. It looks nothing up by itself.
"""

from markupsafe import Markup

from ftkit.export.service import ExportView
from ftkit.ui import html
from ftkit.ui.i18n import say

# Of these exports the weights can be asked here; the others are for other machines.
ASKED_HERE = frozenset({"adapter", "merged", "gguf"})
_TONES: dict[str, html.Tone] = {
    "live": "good",
    "canary": "info",
    "trying": "info",
    "refused": "bad",
}


def engine(name: str, lang: str) -> str:
    """An engine in a word."""
    return say(f"serve.engine.short.{name}", lang)


def state(name: str, lang: str) -> Markup:
    """A version's state as a pill."""
    return html.pill(_TONES.get(name, "plain"), say(f"serve.state.{name}", lang))


def by(name: str, lang: str) -> str:
    """Who did something."""
    return say("serve.by.owner", lang) if name == "owner" else name


def target(kind: str, name: str, lang: str) -> str:
    """A model that can be served, with what it is."""
    return name if kind == "run" else say(f"serve.target.{kind}", lang, name=name)


def export(view: ExportView, lang: str) -> str:
    """The target, with what makes it this one."""
    options = view.options
    docker = options.target == "docker"
    detail = say(f"export.server.{options.server}", lang) if docker else options.form
    name = say(f"export.target.{options.target}", lang)
    return f"{name} · {detail}" if detail else name
