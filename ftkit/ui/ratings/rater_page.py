"""The page of a rater: one HTML document that is the same for everybody and asks for nothing but its tasks.

Takes a language, gives a whole document. No study, no rater and no model stand in it: all that comes later over ``/rate/api``.
"""

from markupsafe import Markup

from ftkit.ui.i18n import say
from ftkit.ui.theme import SHELL_CSS

_PAGE = Markup(
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title><style>{css}</style></head>'
    '<body><main id="content"><h1>{title}</h1></main></body></html>'
)


def page(lang: str) -> str:
    """The page with nothing in it yet."""
    css = Markup(SHELL_CSS)  # noqa: S704 - a constant of ours
    return str(_PAGE.format(lang=lang, title=say("invite.title", lang), css=css))
