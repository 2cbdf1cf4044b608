"""What every page needs of Gradio: a heading, reading the address, going to another page.

Takes the current Gradio context and requests, gives components and ids. It calls no service.
"""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import gradio as gr
from gradio.components import Component

from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t

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


class AskFirst:
    """A button that asks once more before it does something for good.

    ``button`` is shown and hidden by the page; the question comes where ``lay_out_question`` is called, below it.

    Args:
        id_: of the button; its answers have ``-yes`` and ``-no`` behind it.
        sure: the question.
        yes: the answer that does it.
        no: the answer that does nothing.
    """

    def __init__(self, id_: str, sure: Any, yes: Any, no: Any) -> None:
        self._id, self._sure, self._answers = id_, sure, (yes, no)
        self.button: gr.Button
        self.question: gr.Row
        self.really: gr.Button

    def lay_out_button(self, label: Any, **looks: Any) -> None:
        """The button, unseen at first."""
        self.button = gr.Button(label, visible=False, elem_id=self._id, **looks)

    def lay_out_question(self) -> None:
        """The question and its answers, unseen until the button is clicked."""
        yes, no = self._answers
        with gr.Row(visible=False, elem_classes="ft-confirm") as self.question:
            with gr.Column(min_width=200):
                gr.Markdown(self._sure)
            self.really = gr.Button(yes, variant="stop", elem_id=f"{self._id}-yes", min_width=120)
            self._keep = gr.Button(no, elem_id=f"{self._id}-no", min_width=120)

    def wire(self, name: str) -> None:
        """Show and hide the question; what ``really`` does is the page's. ``name`` begins the names of the events."""
        self.button.click(handler(self.ask), None, self.question, api_name=f"{name}_ask")
        self._keep.click(handler(self.spare), None, self.question, api_name=f"{name}_keep")

    def ask(self) -> gr.Row:
        """Show the question."""
        return gr.Row(visible=True)

    def spare(self) -> gr.Row:
        """Hide it: nothing is done."""
        return gr.Row(visible=False)


def note(request: gr.Request, key: str, **values: object) -> None:
    """Tell a person what was done: a toast in their language; names in it come from people and stay text."""
    # Toasts render HTML, so all of it is escaped.
    gr.Info(escape(say(key, language(request), **values)))


def asked(request: gr.Request, name: str) -> str:
    """An id from the page's address, or an empty string."""
    return str(request.query_params.get(name) or "")


def origin(request: gr.Request) -> str:
    """Address of this dashboard as its reader sees it, without a slash at its end."""
    return str(request.headers.get("origin") or f"http://{request.headers.get('host', '')}")
