"""The settings page: language, base model, where the data lies, what this machine has, which versions run.

Reads the settings and the machine. It changes only the language and, on request, fetches the bundled model; everything else
is set by environment variables, which it names.
"""

import importlib.metadata
import platform
import shutil
from collections.abc import Iterator

import gradio as gr
import psutil

from ftkit import __version__
from ftkit.models.catalogue import BUNDLED_ID
from ftkit.settings import Settings
from ftkit.training.machine import Machine, look
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import destination, go, page_heading, section
from ftkit.ui.shell import language_switch
from ftkit.workspace import Workspace

_LIBRARIES = (
    "gradio",
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "bitsandbytes",
    "datasets",
    "evaluate",
    "safetensors",
    "SQLAlchemy",
)


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        page_heading("settings")
        self._where = destination()
        with gr.Column(elem_classes="ft-card"):
            section("settings.language")
            self._language = gr.HTML(elem_id="settings-language")
        with gr.Column(elem_classes="ft-card"):
            section("settings.model")
            self._model = gr.HTML(elem_id="settings-model")
            self._get = gr.Button(
                t("settings.model.get"),
                variant="primary",
                visible=False,
                elem_id="settings-get-model",
                elem_classes="ft-narrow",
            )
        with gr.Column(elem_classes="ft-card"):
            section("settings.folder")
            self._folder = gr.HTML(elem_id="settings-folder")
        with gr.Column(elem_classes="ft-card"):
            section("settings.machine")
            self._machine = gr.HTML(elem_id="settings-machine")
        with gr.Column(elem_classes="ft-card"):
            section("settings.versions")
            self._versions = gr.HTML(elem_id="settings-versions")
        shown = [self._language, self._model, self._get, self._folder, self._machine, self._versions]
        gr.on(fn=handler(self._show), outputs=shown, api_name="settings_show")
        go(
            self._get.click(handler(self._fetch), None, self._where, api_name="settings_fetch"),
            self._where,
            "settings_go",
        )

    def _show(self, request: gr.Request) -> tuple[object, ...]:
        lang = language(request)
        settings = self._workspace.settings
        models = self._workspace.models.all()
        present = any(model.id == BUNDLED_ID for model in models)
        status = (
            html.notice("good", say("settings.model.there", lang, model=BUNDLED_ID))
            if present
            else html.notice("warn", say("settings.model.missing", lang, model=BUNDLED_ID))
        )
        return (
            language_switch("/settings", lang),
            html.join([status, html.facts(sources(settings, lang))]),
            gr.update(visible=not present),
            html.facts(folder(settings, lang)),
            html.facts(machine(look(), lang)),
            html.facts(versions(lang)),
        )

    def _fetch(self) -> str:
        self._workspace.models.pull(BUNDLED_ID)
        return "/model"


def sources(settings: Settings, lang: str) -> Iterator[tuple[str, str]]:
    """Where models come from."""
    yield say("settings.model.hub", lang), settings.hf_endpoint
    yield (
        say("settings.model.network", lang),
        say("settings.offline" if settings.offline else "settings.online", lang),
    )


def folder(settings: Settings, lang: str) -> Iterator[tuple[str, str]]:
    """The data folder and the room around it."""
    disk = shutil.disk_usage(settings.home)
    yield say("settings.folder.path", lang), str(settings.home)
    yield say("settings.folder.free", lang), html.file_size(disk.free, lang)
    kind = (
        (settings.database_url or "sqlite").partition(":")[0].partition("+")[0]
    )  # never the password behind it
    yield say("settings.folder.database", lang), kind


def machine(found: Machine, lang: str) -> Iterator[tuple[str, str]]:
    """Processor, memory, GPU."""
    yield say("settings.machine.cores", lang), str(found.cores)
    memory = psutil.virtual_memory()
    yield say("settings.machine.memory", lang), html.file_size(memory.total, lang)
    yield say("settings.machine.free", lang), html.file_size(memory.available, lang)
    yield say("settings.machine.gpu", lang), found.gpu or say("settings.machine.no_gpu", lang)
    yield say("settings.machine.system", lang), f"{platform.system()} {platform.machine()}"


def versions(lang: str) -> Iterator[tuple[str, str]]:
    """ftkit, Python and the libraries that a run depends on; read from their metadata, none is imported."""
    yield "ftkit", __version__
    yield "Python", platform.python_version()
    for name in _LIBRARIES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield name, say("settings.versions.missing", lang)
