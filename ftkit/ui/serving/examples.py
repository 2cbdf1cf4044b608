"""How to ask from a program: the address, and the same request in three languages.

Takes the examples as text, gives escaped ``Markup``. It makes no example.
"""

from collections.abc import Mapping

from markupsafe import Markup

from ftkit.serving.snippets import KEY_VARIABLE
from ftkit.ui import html
from ftkit.ui.i18n import say
from ftkit.ui.serving import copying


def shown(address: str, examples: Mapping[str, str], lang: str) -> Markup:
    """The address and each example behind a fold, the first one open.

    Args:
        address: with ``/v1``.
        examples: by name, as ``snippets`` gives them.
        lang: ``en`` or ``tr``.
    """
    label = say("serve.use.address", lang)
    parts = [copying.line(address, say("serve.use.copy_of", lang, name=label), lang, label)]
    for place, (name, text) in enumerate(examples.items()):
        told = say(f"serve.use.{name}", lang)
        block = copying.block(text, say("serve.use.copy_of", lang, name=told), lang)
        parts.append(html.details(told, block, open_=place == 0))
    parts.append(
        Markup('<p class="ft-quiet">{}</p>').format(say("serve.use.key", lang, variable=KEY_VARIABLE))
    )
    return html.join(parts)
