"""The whole dashboard, built: every handler passes the border, every page says what it is."""

import asyncio

import gradio as gr
import pytest

from ftkit.settings import Settings
from ftkit.ui.app import build
from ftkit.ui.border import handler
from ftkit.ui.shell import PAGES, SUBPAGES
from ftkit.workspace import Workspace


async def built(workspace: Workspace) -> gr.Blocks:
    """Inside an event loop: outside of one Gradio makes dozens and closes none."""
    return build(workspace)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(home)})) as workspace:
        yield asyncio.run(built(workspace))


def unwrapped(demo: gr.Blocks) -> list[str]:
    return [f.api_name for f in demo.fns.values() if f.fn is not None and not hasattr(f.fn, "__ftkit_role__")]


def test_every_handler_passes_the_border(demo):
    assert len(demo.fns) > 20
    assert unwrapped(demo) == []


def test_a_handler_beside_the_border_is_found():
    async def make():
        with gr.Blocks() as demo:
            box = gr.Textbox()
            box.change(handler(lambda x: x), box, box, api_name="wrapped")
            box.submit(lambda x: x, box, box, api_name="bare")
            demo.load(lambda: "x", None, box, api_name="load")
            gr.Timer(5).tick(lambda: "x", None, box, api_name="tick")
        return demo

    assert unwrapped(asyncio.run(make())) == ["bare", "load", "tick"]


def test_no_event_passes_by_the_queue(demo):
    assert [f.api_name for f in demo.fns.values() if f.fn is not None and f.queue is False] == []


def test_every_event_has_a_name_of_its_own(demo):
    names = [f.api_name for f in demo.fns.values() if f.fn is not None]
    assert len(names) == len(set(names))
    assert not any("lambda" in str(name) for name in names)
    pages = tuple(f"{name}_" for name in (*PAGES, *SUBPAGES))
    assert [name for name in names if not str(name).startswith(pages)] == []


def test_every_page_has_its_address(demo):
    assert [path or "home" for path, *_ in demo.pages] == [*PAGES, *SUBPAGES]


def test_nothing_is_kept_for_ever(demo):
    assert demo.delete_cache is not None


def test_no_field_of_an_address_is_in_what_is_shown_later(demo):
    """Showing a hidden column shows what it holds: the address would be a bare field on the page."""
    fields = [one for one in demo.blocks.values() if getattr(one, "visible", None) == "hidden"]
    assert fields
    for field in fields:
        above = field.parent
        while above is not None:
            assert getattr(above, "visible", True) is True, getattr(above, "elem_id", above)
            above = above.parent
