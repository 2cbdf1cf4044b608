"""The form of a new export: which model, what for, and what that needs to know.

Takes the workspace, gives components; the service checks whether the model takes the form before anything starts.
"""

from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.errors import BadInput
from ftkit.export.options import ExportOptions
from ftkit.export.targets import PRECISIONS, QUANTIZATIONS, TARGETS, Target
from ftkit.ratings.sides.names import Side
from ftkit.ui import html
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, destination, follow, go, section
from ftkit.workspace import Workspace

# What is asked beside the model, by target.
_MERGED = frozenset({"merged", "endpoint", "docker", "triton"})
_SERVERS = ("vllm", "tgi")
_PUSHES = ("adapter", "merged")


def exportable(workspace: Workspace) -> list[Side]:
    """Runs that left something, and their checkpoints; newest first."""
    return [side for side in workspace.sides.offered() if side.kind in {"run", "checkpoint"}]


class MakingSection:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="export-new") as self._card:
            section("export.new")
            # Gradio checks a choice against those of the start: any value passes here, and the service knows the ids.
            self._model = gr.Dropdown(
                allow_custom_value=True,
                label=t("export.model.label"),
                info=t("export.model.help"),
                elem_id="export-model",
            )
            self._target = gr.Radio(
                choices=[(t(f"export.target.{target}"), target) for target in TARGETS],
                value="merged",
                label=t("export.target.label"),
                elem_id="export-target",
            )
            self._about = gr.HTML(elem_id="export-about")
            self._lay_out_options()
            self._start = gr.Button(
                t("export.start"), variant="primary", elem_id="export-start", elem_classes="ft-narrow"
            )
        self._wire()

    def _lay_out_options(self) -> None:
        with gr.Row(elem_classes="ft-fields", visible=False) as self._to_hub:
            self._repo = gr.Textbox(
                label=t("export.repo.label"), info=t("export.repo.help"), placeholder="owner/name", max_lines=1,
                max_length=200, elem_id="export-repo",
            )  # fmt: skip
            self._push = gr.Radio(
                choices=[(t(f"export.push.{one}"), one) for one in _PUSHES], value=_PUSHES[0],
                label=t("export.push.label"), info=t("export.push.help"), elem_id="export-push",
            )  # fmt: skip
            self._private = gr.Checkbox(
                value=True, label=t("export.private.label"), info=t("export.private.help"), elem_id="export-private"
            )  # fmt: skip
        with gr.Row(elem_classes="ft-fields"):
            self._precision = gr.Radio(
                choices=[(t(f"export.precision.{one}"), one) for one in PRECISIONS], value=PRECISIONS[0],
                label=t("export.precision.label"), info=t("export.precision.help"), elem_id="export-precision",
            )  # fmt: skip
            self._quantization = gr.Radio(
                choices=[(t(f"export.quantization.{one}"), one) for one in QUANTIZATIONS], value="f16",
                label=t("export.quantization.label"), info=t("export.quantization.help"), visible=False,
                elem_id="export-quantization",
            )  # fmt: skip
            self._server = gr.Radio(
                choices=[(t(f"export.server.{one}"), one) for one in _SERVERS], value=_SERVERS[0],
                label=t("export.server.label"), info=t("export.server.help"), visible=False, elem_id="export-server",
            )  # fmt: skip

    def _wire(self) -> None:
        changing = [self._about, self._to_hub, self._precision, self._quantization, self._server]
        gr.on(
            fn=handler(self._open),
            outputs=[self._card, self._model, self._about],
            api_name="export_form",
            show_progress="hidden",
        )
        follow(
            [self._target.input, self._push.input],
            handler(self._look),
            [self._target, self._push],
            changing,
            "export_target",
            quiet=True,
        )
        wanted = [
            self._model, self._target, self._precision, self._quantization, self._server, self._repo, self._push,
            self._private,
        ]  # fmt: skip
        begun = self._start.click(handler(self._begin), wanted, self._where, api_name="export_start")
        go(begun, self._where, "export_start_go")

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        found = exportable(self._workspace)
        run = asked(request, "run")
        if not found:
            return [gr.Column(visible=False), gr.skip(), ""]
        chosen = next((one for one in found if one.id == run), found[0])
        choices = [(self._workspace.sides.label(one), str(one)) for one in found]
        return [
            gr.Column(visible=True),
            gr.Dropdown(choices=choices, value=str(chosen)),
            _about("merged", lang),
        ]

    def _look(self, request: gr.Request, target: str, push: str) -> list[Any]:
        weights = target in _MERGED or (target == "hub" and push == "merged")
        return [
            _about(target, language(request)),
            gr.Row(visible=target == "hub"),
            gr.Radio(visible=weights),
            gr.Radio(visible=target == "gguf"),
            gr.Radio(visible=target == "docker"),
        ]

    def _begin(self, model: str | None, target: Target, *wanted: Any) -> str:
        precision, quantization, server, repo, push, private = wanted
        side = Side.parse(model or "")
        if side.kind not in {"run", "checkpoint"}:
            raise BadInput(
                "export.not_a_run", "{model} is no run. Choose a run or one of its checkpoints.", model=model
            )
        options = ExportOptions(
            target=target,
            checkpoint=side.step if side.kind == "checkpoint" else None,
            precision=precision,
            quantization=quantization,
            server=server,
            repo=(repo or "").strip(),
            push=push,
            private=bool(private),
        )
        made = self._workspace.exports.create(side.id, options)
        return html.url("export", run=side.id, export=made.id)


def _about(target: str, lang: str) -> Markup:
    """What one gets, and how it is verified."""
    return html.join(
        Markup("<p><strong>{}:</strong> {}</p>").format(
            say(f"export.about.{one}", lang), say(f"export.{one}.{target}", lang)
        )
        for one in ("gives", "verified")
    )
