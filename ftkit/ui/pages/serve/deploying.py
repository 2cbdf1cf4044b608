"""Which model is served next, by which engine, and whether it takes over or gets a share first.

``?target=``, ``?run=`` and ``?export=`` choose it. Takes the workspace, gives components; a click begins the smoke test.
"""

from typing import Any, get_args

import gradio as gr

from ftkit.export.service import ExportView
from ftkit.ratings.sides.names import Side
from ftkit.serving.engines.asking import EngineName
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, t
from ftkit.ui.parts import asked, follow, note, section
from ftkit.ui.serving import names
from ftkit.workspace import Workspace

_ENGINES: tuple[EngineName, ...] = get_args(EngineName)
_SHARE = 10
_EXPORT = "export:"


class DeploySection:
    """Its components, and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        with gr.Column(visible=False, elem_classes="ft-card", elem_id="deploy") as self.card:
            section("serve.deploy")
            # Gradio checks a choice against those of the start: any value passes here, and the service knows the names.
            self._target = gr.Dropdown(
                allow_custom_value=True, label=t("serve.target.label"), info=t("serve.target.help"), elem_id="deploy-target"
            )  # fmt: skip
            with gr.Row(elem_classes="ft-fields", visible=False) as self._elsewhere:
                self._address = gr.Textbox(
                    label=t("serve.upstream.label"), info=t("serve.upstream.help"), placeholder="http://localhost:8000/v1",
                    max_lines=1, max_length=400, elem_id="deploy-address",
                )  # fmt: skip
                self._model = gr.Textbox(
                    label=t("serve.upstream.model.label"), info=t("serve.upstream.model.help"), max_lines=1, max_length=200,
                    elem_id="deploy-model",
                )  # fmt: skip
            self._engine = gr.Radio(
                choices=[(t(f"serve.engine.{one}"), one) for one in _ENGINES], value=_ENGINES[0],
                label=t("serve.engine.label"), elem_id="deploy-engine", elem_classes="ft-steps-list",
            )  # fmt: skip
            self._share = gr.Slider(
                1, 99, _SHARE, step=1, label=t("serve.share.label"), info=t("serve.share.help"), visible=False,
                elem_id="deploy-share",
            )  # fmt: skip
            self._anyway = gr.Checkbox(
                label=t("serve.anyway.label"), info=t("serve.anyway.help"), elem_id="deploy-anyway"
            )
            with gr.Row(elem_classes="ft-actions"):
                self._deploy = gr.Button(
                    t("serve.deploy"), variant="primary", elem_id="deploy-start", min_width=140
                )
                self._canary = gr.Button(
                    t("serve.canary"), visible=False, elem_id="deploy-canary", min_width=140
                )
        self.with_live = [self._share, self._canary]

    def wire(self) -> list[tuple[gr.events.Dependency, str]]:
        """Events after which everything is looked at anew, with their names."""
        gr.on(
            fn=handler(self._open), outputs=[self.card, self._target, self._engine], api_name="serve_deploy_open",
            show_progress="hidden",
        )  # fmt: skip
        follow(
            [self._engine.input], handler(self._choose), [self._engine], [self._target, self._elsewhere],
            "serve_engine", quiet=True,
        )  # fmt: skip
        follow([self._target.input], handler(self._suit), [self._target], [self._engine], "serve_target", quiet=True)  # fmt: skip
        fields: list[Any] = [self._engine, self._target, self._address, self._model, self._anyway]
        deployed = self._deploy.click(handler(self._deploy_it), fields, None, api_name="serve_deploy")
        tried = self._canary.click(
            handler(self._try_it), [self._share, *fields], None, api_name="serve_canary"
        )
        return [(deployed, "deploy"), (tried, "canary")]

    def beside_live(self, live: bool) -> list[Any]:
        """A canary needs something beside it: one update for each component of ``with_live``."""
        return [gr.Slider(visible=live), gr.Button(visible=live)]

    def _open(self, request: gr.Request) -> list[Any]:
        choices = self._choices(language(request))
        if not choices:
            return [gr.Column(visible=False), gr.skip(), gr.skip()]
        every = {name for _, name in choices}
        wanted = (
            asked(request, "target"),
            f"export:{asked(request, 'export')}",
            f"run:{asked(request, 'run')}",
            choices[0][1],
        )
        chosen = next(one for one in wanted if one in every)
        return [gr.Column(visible=True), gr.Dropdown(choices=choices, value=chosen), self._suiting(chosen)]

    def _choose(self, engine: str) -> list[Any]:
        upstream = engine == "upstream"
        return [gr.Dropdown(visible=not upstream), gr.Row(visible=upstream)]

    def _suit(self, target: str | None) -> str:
        return self._suiting(target or "")

    def _choices(self, lang: str) -> list[tuple[str, str]]:
        """Runs with their checkpoints, exports that can be served here, base models; each with its name."""
        sides = [one for one in self._workspace.sides.offered() if not str(one).startswith(_EXPORT)]
        choices = [
            (names.target(one.kind, self._workspace.sides.label(one), lang), str(one)) for one in sides
        ]
        exports = [
            (self._export(one, lang), f"{_EXPORT}{one.export.id}")
            for one in self._workspace.exports.all()
            if one.job.state == "done" and one.export.target in names.ASKED_HERE
        ]
        first_base = next((n for n, one in enumerate(sides) if one.kind == "base"), len(sides))
        return choices[:first_base] + exports + choices[first_base:]

    def _export(self, view: ExportView, lang: str) -> str:
        """Its run and what makes it this one: a run may have several of the same form."""
        run = self._workspace.sides.label(Side(kind="run", id=view.export.run))
        return names.target("export", f"{run} · {names.export(view, lang)}", lang)

    def _suiting(self, target: str) -> EngineName:
        """The engine that a model is made for."""
        if not target.startswith(_EXPORT):
            return "resident"
        export = self._workspace.exports.get(target.removeprefix(_EXPORT)).export
        return "llamacpp" if export.target == "gguf" else "resident"

    def _deploy_it(self, request: gr.Request, engine: EngineName, *where: Any) -> None:
        *place, anyway = where
        target = _wanted(engine, *place, lang=language(request))
        version = self._workspace.serving.deploy(target, engine, anyway=bool(anyway))
        note(request, "serve.deploy.begun", label=version.label)

    def _try_it(self, request: gr.Request, share: float, engine: EngineName, *where: Any) -> None:
        *place, anyway = where
        target = _wanted(engine, *place, lang=language(request))
        version = self._workspace.serving.canary(target, share / 100, engine, anyway=bool(anyway))
        note(request, "serve.deploy.begun", label=version.label)


def _wanted(engine: EngineName, target: str | None, *elsewhere: str | None, lang: str) -> str:
    """The model that was chosen, or its address and name on another server."""
    wanted = elsewhere if engine == "upstream" else (target,)
    texts = [(text or "").strip() for text in wanted]
    if not all(texts):
        missing = "no_address" if engine == "upstream" else "first"
        raise gr.Error(say(f"serve.deploy.{missing}", lang), print_exception=False)
    return f"upstream:{texts[0]}|{texts[1]}" if engine == "upstream" else texts[0]
