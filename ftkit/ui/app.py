"""The dashboard: every page on its own address, in one Gradio app.

Takes a ``Workspace``, gives Blocks that are not launched: the server mounts them. It lays out nothing itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from ftkit.ui.pages import curves, home, runs, settings, train
from ftkit.ui.pages.compare import page as compare
from ftkit.ui.pages.data import check, clean, tokens
from ftkit.ui.pages.data import page as data
from ftkit.ui.pages.evaluation import errors, evaluate
from ftkit.ui.pages.export import page as export
from ftkit.ui.pages.model import page as model
from ftkit.ui.pages.monitor import page as monitor
from ftkit.ui.pages.ratings import page as ratings
from ftkit.ui.pages.serve import page as serve
from ftkit.ui.pages.sweeps import page as sweeps
from ftkit.ui.shell import PAGES, SUBPAGES
from ftkit.workspace import Workspace

_BUILD: Mapping[str, Callable[[Workspace], None]] = {
    "home": home.build,
    "data": data.build,
    "model": model.build,
    "train": train.build,
    "runs": runs.build,
    "evaluate": evaluate.build,
    "compare": compare.build,
    "ratings": ratings.build,
    "export": export.build,
    "serve": serve.build,
    "monitor": monitor.build,
    "settings": settings.build,
    "check": check.build,
    "clean": clean.build,
    "tokens": tokens.build,
    "curves": curves.build,
    "sweeps": sweeps.build,
    "mistakes": errors.build,
}

_CLEAN_EVERY, _CLEAN_AFTER = 3600, 24 * 3600


class _Pages(gr.Blocks):
    """Blocks that are described once they are whole: Gradio describes all pages so far twice at the end of each page, and again when
    they are mounted, which is the only time that it is read.
    """

    whole = False

    def get_config_file(self) -> Any:
        """What the browser is told of all components; nothing before the last page is built."""
        return super().get_config_file() if self.whole else {}


def build(workspace: Workspace) -> gr.Blocks:
    """All pages; Home is the first one."""
    demo = _Pages(title="ftkit", analytics_enabled=False, delete_cache=(_CLEAN_EVERY, _CLEAN_AFTER))
    with demo:
        _BUILD["home"](workspace)
    for name in (*PAGES[1:], *SUBPAGES):
        with demo.route(name, f"/{name}"):
            _BUILD[name](workspace)
    demo.whole = True
    return demo
