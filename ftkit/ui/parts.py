"""What every page needs of Gradio: a heading, reading the address, going to another page.

Takes the current Gradio context and requests, gives components and ids. It calls no service.
"""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from ftkit.ui.i18n import t

# The address of a page is its whole state: an action that makes something ends by going to the thing's address.
_GO = "(address) => { if (address) window.location.assign(address) }"


def page_heading(page: str) -> None:
    """The title of a page and one sentence on what it is for."""
    gr.Markdown("# " + t(f"{page}.title") + "\n\n" + t(f"{page}.lede"), elem_classes="ft-heading")


def section(key: str) -> None:
    """The title of a section, and a sentence below it."""
    gr.Markdown("## " + t(f"{key}.title") + "\n\n" + t(f"{key}.lede"), elem_classes="ft-section")


def destination() -> gr.Textbox:
    """An unseen field for the address to go to next."""
    return gr.Textbox(visible="hidden")


def follow(
    edits: Sequence[Any],
    show: Callable[..., Any],
    inputs: Sequence[Component],
    outputs: Sequence[Component],
    name: str,
    *,
    quiet: bool = False,
) -> gr.events.Dependency:
    """Show what belongs to the inputs after each edit, to the newest one in the end.

    Gradio may send two events for one edit (a dropdown does), and answers them in parallel: unless they wait for each
    other, the answer to an older edit can come last.

    Args:
        edits: the events of the inputs.
        show: a handler; the same inputs give the same outputs.
        inputs: what ``show`` reads.
        outputs: what it fills.
        name: of the event.
        quiet: it is done at once, so that signs of progress would only flicker.
    """
    event: gr.events.Dependency = gr.on(
        edits,
        show,
        inputs,
        outputs,
        api_name=name,
        show_progress="hidden" if quiet else "full",
        trigger_mode="always_last",
        concurrency_limit=1,
    )
    return event


def go(event: gr.events.Dependency, where: gr.Textbox, name: str) -> None:
    """After ``event`` went well, go to the address that it put into ``where``."""
    event.success(None, where, None, js=_GO, api_name=name)


def go_on_choice(choice: gr.Dropdown, address: str, name: str) -> None:
    """Go to ``address`` with the chosen id behind it, when a person chooses."""
    js = f"(id) => {{ if (id) window.location.assign({address!r} + encodeURIComponent(id)) }}"
    choice.input(None, choice, None, js=js, api_name=name)


def asked(request: gr.Request, name: str) -> str:
    """An id from the page's address, or an empty string."""
    return str(request.query_params.get(name) or "")
