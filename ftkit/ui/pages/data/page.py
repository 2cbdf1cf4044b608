"""The data page: from a file to rows with roles, and from rows to a split.

``?upload=`` shows a file before it is saved, ``?dataset=`` a saved dataset, ``?split=`` a split of it. Each action makes one
thing and ends at that thing's address.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
from markupsafe import Markup

from ftkit.data.chat import Message, RowProblem, conversation
from ftkit.data.service import Inspection
from ftkit.data.splits.service import Choices
from ftkit.errors import FtkitError
from ftkit.records import Dataset, Split
from ftkit.ui import html, views
from ftkit.ui.border import handler
from ftkit.ui.i18n import language, say, say_error, say_phrase, t
from ftkit.ui.pages.data import downloads, split_card, split_progress
from ftkit.ui.pages.data.incoming import Incoming
from ftkit.ui.pages.data.split_card import SplitCard
from ftkit.ui.pages.data.split_progress import SplitProgress
from ftkit.ui.parts import asked, destination, follow, go, page_heading, section
from ftkit.workspace import Workspace

ROLES = (
    *("messages", "system", "instruction", "user", "assistant"),
    *("text", "prompt", "completion", "chosen", "rejected", "label", "tools"),
)
_USUAL = ("system", "instruction", "user", "assistant")
_FIRST_ROWS = 5
# Rows of an upload that can be looked through before it is saved.
Rows = list[dict[str, Any]]
_VISIBLE, _HIDDEN = {"visible": True, "__type__": "update"}, {"visible": False, "__type__": "update"}


def build(workspace: Workspace) -> None:
    """Put the page into the current Gradio context."""
    page_heading("data")
    _Page(workspace)


class _Page:
    """Components of the page and what happens on them."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._where = destination()
        self._row = gr.State(0)
        self._rows = gr.State([])
        self._count = gr.State(0)
        self._incoming = Incoming(workspace, self._where)
        self._incoming.lay_out_progress()
        self._split_progress = SplitProgress(workspace)
        with gr.Column(visible=False) as self._opened:
            with gr.Column(elem_classes="ft-card"):
                self._head = gr.HTML()
                self._incoming.lay_out_options()
            with gr.Column(elem_classes="ft-card", visible=False) as self._split_card:
                self._split_form = SplitCard()
            with gr.Column(elem_classes="ft-card"):
                self._lay_out_roles()
        with gr.Column(elem_classes="ft-card"):
            self._lay_out_sources()
        self._list = gr.HTML()
        self._wire()

    def _lay_out_sources(self) -> None:
        section("data.sources")
        with gr.Row(equal_height=True):
            self._samples = [
                self._sample(one.name, one.rows, one.license) for one in self._workspace.data.samples()
            ]
        self._incoming.lay_out_sources()

    def _sample(self, name: str, rows: int, license_: str) -> tuple[str, gr.Button]:
        with gr.Column(elem_classes="ft-choice", min_width=220):
            gr.Markdown("**" + t(f"data.sample.{name}.title") + "**\n\n" + t(f"data.sample.{name}.text"))
            gr.Markdown(t("data.sample.rows") + f": {rows} · {license_}", elem_classes="ft-quiet")
            return name, gr.Button(t("data.sample.use"), elem_id=f"sample-{name}", size="md")

    def _lay_out_roles(self) -> None:
        section("data.roles")
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self._roles = {role: self._role(role) for role in _USUAL}
                with gr.Accordion(t("data.roles.other"), open=False):
                    self._roles |= {role: self._role(role) for role in ROLES if role not in _USUAL}
            with gr.Column(scale=3, min_width=300):
                with gr.Row(elem_classes="ft-browse"):
                    self._back = gr.Button(t("data.row.back"), size="sm", elem_id="row-back", min_width=60)
                    self._place = gr.HTML(elem_id="row-place")
                    self._on = gr.Button(t("data.row.on"), size="sm", elem_id="row-on", min_width=60)
                self._chat = gr.HTML(elem_id="row-chat")
                with gr.Accordion(t("data.exact.title"), open=False):
                    self._exact = gr.Textbox(
                        label=t("data.exact.label"),
                        info=t("data.exact.help"),
                        lines=6,
                        max_lines=16,
                        buttons=["copy"],
                        elem_classes="ft-mono",
                        elem_id="row-exact",
                        interactive=False,
                    )
        with gr.Row(elem_classes="ft-save"):
            self._name = gr.Textbox(
                label=t("data.name.label"), placeholder=t("data.name.hint"), max_lines=1, elem_id="data-name"
            )
            self._save = gr.Button(
                t("data.save.first"), variant="primary", elem_id="data-save", min_width=160
            )

    def _role(self, role: str) -> gr.Dropdown:
        return gr.Dropdown(
            choices=[(t("data.role.none"), "")],
            value="",
            label=t(f"data.role.{role}"),
            info=t(f"data.role.{role}.help"),
            elem_id=f"role-{role}",
            interactive=True,
        )

    def _wire(self) -> None:
        roles = [self._roles[role] for role in ROLES]
        opened = [
            self._opened,
            self._head,
            self._split_card,
            self._split_form.table,
            self._rows,
            self._count,
            self._save,
            *roles,
        ]
        state, seen = (
            [self._row, self._rows, self._count, *roles],
            [self._row, self._place, self._chat, self._exact],
        )
        gr.on(fn=handler(self._show_list), outputs=self._list, api_name="data_list", show_progress="hidden")
        arrived = gr.on(fn=handler(self._open), outputs=opened, api_name="data_open")
        arrived.success(
            handler(self._offer),
            outputs=self._split_form.choices,
            api_name="data_offer",
            show_progress="hidden",
        )
        arrived.success(handler(self._begin), state, seen, api_name="data_look", show_progress="hidden")
        self._incoming.wire(arrived)
        self._split_progress.wire(arrived)
        follow(
            [one.input for one in self._roles.values()],
            handler(self._stay),
            state,
            seen,
            "data_roles",
            quiet=True,
        )
        for button, look, name in (
            (self._back, self._go_back, "data_back"),
            (self._on, self._go_on, "data_on"),
        ):
            button.click(handler(look), state, seen, api_name=name, show_progress="hidden")
        self._wire_actions(roles)

    def _wire_actions(self, roles: list[gr.Dropdown]) -> None:
        makers: list[tuple[str, Any, Callable[..., str], list[Any]]] = [
            ("save", self._save.click, self._save_rows, [self._name, *roles]),
            ("split", self._split_form.button.click, self._split, self._split_form.inputs),
        ]
        makers += [(f"sample_{name}", button.click, self._take(name), []) for name, button in self._samples]
        for name, trigger, make, inputs in makers:
            api_name = "data_" + name.replace("-", "_")
            made = trigger(handler(make), inputs, self._where, api_name=api_name)
            go(made, self._where, f"{api_name}_go")

    def _show_list(self, request: gr.Request) -> str:
        lang = language(request)
        datasets = self._workspace.data.all()
        if not datasets:
            return ""
        title = html.heading(say("data.list.title", lang))
        return f'<div class="ft-card">{title}{views.datasets_table(datasets, asked(request, "dataset"), lang)}</div>'

    def _open(self, request: gr.Request) -> list[Any]:
        lang = language(request)
        upload = asked(request, "upload")
        if upload and self._workspace.data.incoming.begin(upload) is None:
            seen = self._workspace.data.inspect(upload)
            roles = _role_updates(seen.columns, seen.mapping)
            rows = seen.sample_rows
            return [
                _VISIBLE,
                _upload_head(seen, lang),
                _HIDDEN,
                "",
                rows,
                len(rows),
                t("data.save.first"),
                *roles,
            ]
        if dataset := asked(request, "dataset"):
            record, splits = self._workspace.data.get(dataset), self._workspace.splits.all(dataset)
            roles = _role_updates(record.columns, record.mapping)
            chosen = asked(request, "split")
            head = _dataset_head(record, splits, chosen, lang)
            table = views.splits_table(splits, chosen, lang) if splits else ""
            return [
                _VISIBLE,
                head,
                _VISIBLE,
                table,
                [],
                record.rows,
                gr.Button(t("data.save.again"), variant="secondary"),
                *roles,
            ]
        return [gr.skip()] * (7 + len(ROLES))

    def _offer(self, request: gr.Request) -> list[Any]:
        """What a split of this dataset can keep together."""
        if not (dataset := asked(request, "dataset")):
            return [gr.skip()] * len(self._split_form.choices)
        return split_card.choices(dataset, self._workspace.data.all())

    def _begin(self, request: gr.Request, row: int, rows: Rows, count: int, *roles: str) -> list[Any]:
        """The row that the address names, else the first one."""
        wanted = asked(request, "row")
        return self._look(request, int(wanted) if wanted.isdecimal() else row, rows, count, roles)

    def _stay(self, request: gr.Request, row: int, rows: Rows, count: int, *roles: str) -> list[Any]:
        return self._look(request, row, rows, count, roles)

    def _go_back(self, request: gr.Request, row: int, rows: Rows, count: int, *roles: str) -> list[Any]:
        return self._look(request, row - 1, rows, count, roles)

    def _go_on(self, request: gr.Request, row: int, rows: Rows, count: int, *roles: str) -> list[Any]:
        return self._look(request, row + 1, rows, count, roles)

    def _look(
        self, request: gr.Request, row: int, rows: Rows, count: int, roles: tuple[str, ...]
    ) -> list[Any]:
        """One row as a conversation, and as the exact text that the model gets."""
        if not count:
            return [gr.skip()] * 4
        lang = language(request)
        row = max(0, min(row, count - 1))
        place_of = "data.row.place" if asked(request, "dataset") else "data.row.place_first"
        place = say(place_of, lang, n=html.number(row + 1, lang), count=html.number(count, lang))
        try:
            messages = self._messages(asked(request, "dataset"), row, rows, _mapping(roles))
        except RowProblem as problem:
            return [row, place, html.notice("warn", say_phrase(problem.reason, lang)), ""]
        return [row, place, views.chat(messages, lang), self._text(messages, lang)]

    def _messages(self, dataset: str, row: int, rows: Rows, mapping: dict[str, str]) -> list[Message]:
        values = self._workspace.data.rows(dataset, row, 1)[0] if dataset else rows[row]
        return conversation(values, mapping)

    def _text(self, messages: list[Message], lang: str) -> str:
        models = self._workspace.models.all()
        if not models:
            return say("data.exact.no_model", lang)
        try:
            return self._workspace.models.render(models[0].id, messages)
        except FtkitError as error:
            return say_error(error, lang)

    def _take(self, sample: str) -> Callable[[], str]:
        def take() -> str:
            return html.url("data", dataset=self._workspace.data.import_sample(sample).id)

        return take

    def _save_rows(self, request: gr.Request, name: str, *roles: str) -> str:
        mapping = _mapping(roles)
        if upload := asked(request, "upload"):
            made = self._workspace.data.import_upload(upload, name.strip() or None, mapping)
        else:
            made = self._workspace.data.remap(asked(request, "dataset"), mapping, name.strip() or None)
        return html.url("data", dataset=made.id)

    def _split(self, request: gr.Request, *choices: Any) -> str:
        dataset = asked(request, "dataset")
        train, validation, test, seed, group, stratify, other, near = [*choices, *[""] * 4][:8]
        wanted = Choices(
            ratios=(train / 100, validation / 100, test / 100),
            seed=int(seed),
            group=group,
            stratify=stratify,
            test=other,
            near=split_card.near_of(near),
        )
        begun = self._workspace.splits.begin(dataset, wanted)
        return split_progress.address(self._workspace, dataset, begun)


def _role_updates(columns: Sequence[str], mapping: Mapping[str, str]) -> list[gr.Dropdown]:
    choices: list[tuple[Any, str]] = [(t("data.role.none"), ""), *((column, column) for column in columns)]
    return [gr.Dropdown(choices=choices, value=mapping.get(role, "")) for role in ROLES]


def _mapping(roles: tuple[str, ...]) -> dict[str, str]:
    return {role: column for role, column in zip(ROLES, roles, strict=True) if column}


def _upload_head(seen: Inspection, lang: str) -> Markup:
    facts = html.facts(
        [
            (say("data.fact.rows", lang), html.number(seen.rows_count, lang)),
            (say("data.fact.columns", lang), html.number(len(seen.columns), lang)),
            (say("data.fact.skipped", lang), html.number(seen.skipped_count, lang)),
        ]
    )
    return html.join(
        [
            html.heading(say("data.read.title", lang)),
            facts,
            views.skipped_note(seen.skipped_count, seen.skipped, lang),
            *(html.notice("info", say_phrase(note, lang)) for note in seen.notes),
            views.rows_table(seen.columns, seen.sample_rows[:_FIRST_ROWS], lang),
        ]
    )


def _dataset_head(dataset: Dataset, splits: Sequence[Split], chosen: str, lang: str) -> Markup:
    parts = [html.heading(dataset.name), views.dataset_facts(dataset, lang)]
    made = next((one for one in splits if one.id == chosen), None)
    if made is not None:
        parts.append(split_card.report(made, lang))
    elif not splits:
        parts.append(html.notice("info", say("data.split.next", lang)))
    next_steps = {
        "check": html.url("check", dataset=dataset.id),
        "clean": html.url("clean", dataset=dataset.id),
        "tokens": html.url("tokens", dataset=dataset.id, split=chosen),
    }
    links = [html.link(address, say(f"data.{name}", lang)) for name, address in next_steps.items()]
    parts.append(html.actions(*links))
    if dataset.skipped_count:
        parts.append(views.skipped_note(dataset.skipped_count, dataset.skipped, lang))
    parts += [html.notice("info", say_phrase(note, lang)) for note in dataset.notes]
    parts.append(downloads.links(dataset, made, lang))
    return html.join(parts)
