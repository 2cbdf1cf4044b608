"""Text that is there to be copied: a key that is shown once, an address, an example.

Takes text, gives escaped ``Markup`` with a button that ``assets/copy.js`` serves. It keeps nothing.
"""

from markupsafe import Markup

from ftkit.ui.i18n import say


def line(text: str, label: str, lang: str, name: str = "") -> Markup:
    """A short text with its button beside it.

    Args:
        text: to be copied.
        label: what a screen reader says of the button.
        lang: ``en`` or ``tr``.
        name: stands before it.
    """
    return Markup('<div class="ft-copy">{}<code tabindex="0">{}</code>{}</div>').format(
        Markup("<strong>{}</strong>").format(name) if name else "", text, _button(text, label, lang)
    )


def block(text: str, label: str, lang: str) -> Markup:
    """Several lines with their button above them."""
    # The script selects what stands before the button where it may not copy.
    return Markup('<div class="ft-copy ft-code"><pre tabindex="0"><code>{}</code></pre>{}</div>').format(
        text, _button(text, label, lang)
    )


def _button(text: str, label: str, lang: str) -> Markup:
    return Markup(
        '<button type="button" class="ft-button" data-ft-copy="{}" data-ft-copied="{}" aria-label="{}">{}</button>'
    ).format(text, say("serve.key.copied", lang), label, say("serve.key.copy", lang))
