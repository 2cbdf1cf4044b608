"""An export as HTML: where it stands, how it was verified, its files, and how others use them.

Takes views and the language, gives ``Markup`` that is escaped throughout. It reads nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from ftkit.export.service import ExportView
from ftkit.ui import html, views
from ftkit.ui.i18n import say
from ftkit.ui.serving import names

_WAYS = frozenset(
    {"trainer", "compare", "adapter", "merged", "gguf", "llama.cpp", "endpoint", "docker", "triton", "served"}
)
_NOTES: Mapping[str, html.Tone] = {"same": "good", "rounding": "good", "tokens": "bad", "differs": "bad"}
# Before the worker says how far it is.
_WAITING: Mapping[str, str] = {"queued": "queued", "starting": "running", "running": "running"}
# How a file is used, without a word of any language.
_COMMANDS: Mapping[str, str] = {
    "adapter": 'from peft import PeftModel\nmodel = PeftModel.from_pretrained(base_model, "FOLDER")',
    "merged": 'vllm serve FOLDER\n\nfrom transformers import AutoModelForCausalLM\nAutoModelForCausalLM.from_pretrained("FOLDER")',
    "gguf": "ollama create NAME -f Modelfile\nollama run NAME",
    "endpoint": "hf upload OWNER/NAME FOLDER --private",
    "docker": "cp .env.example .env\ndocker compose up --build",
    "triton": "tritonserver --model-repository=FOLDER",
}
_LOADED = frozenset({"peft", "transformers", "gguf", "llama.cpp", "handler", "docker_files", "triton"})
_FILES_OPEN = 8


def nothing_yet(lang: str) -> Markup:
    """Before there is a run."""
    return html.empty(
        say("export.empty.title", lang),
        say("export.empty.text", lang),
        html.link("/train", say("export.empty.link", lang), primary=True),
    )


def list_card(found: Sequence[ExportView], runs: Mapping[str, str], chosen: str, lang: str) -> Markup:
    """All exports; each name opens one."""
    headers = [
        say(f"export.list.{key}", lang) for key in ("target", "run", "state", "size", "parity", "made")
    ]
    rows = [
        (
            html.link_text(
                html.url("export", run=one.export.run, export=one.export.id), names.export(one, lang)
            ),
            runs.get(one.export.run, one.export.run),
            views.state_pill(one.job.state, lang),
            html.file_size(_bytes(one), lang) if one.files else "–",
            _parity_pill(one, lang),
            html.moment(one.export.created_at),
        )
        for one in found
    ]
    ids = [one.export.id for one in found]
    table = html.table(
        headers, rows, say("export.list.title", lang), ids.index(chosen) if chosen in ids else None
    )
    return Markup('<div class="ft-card">{}{}</div>').format(
        html.heading(say("export.list.title", lang)), table
    )


def head(view: ExportView, run: str, lang: str) -> Markup:
    """Where it stands."""
    facts: list[tuple[str, Markup | str]] = [
        (say("export.list.run", lang), html.link_text(html.url("runs", run=view.export.run), run or "–"))
    ]
    if view.options.checkpoint is not None:
        facts.append((say("export.checkpoint", lang), html.number(view.options.checkpoint, lang)))
    if view.files:
        facts.append((say("export.list.size", lang), html.file_size(_bytes(view), lang)))
    facts.append((say("export.list.made", lang), html.moment(view.export.created_at)))
    facts.append((say("export.id", lang), view.export.id))
    parts = [
        Markup('<h2 class="ft-title">{} {}</h2>').format(
            names.export(view, lang), views.state_pill(view.job.state, lang)
        ),
        html.facts(facts),
        views.error_notice(view.job.error, lang),
    ]
    if view.progress is not None:
        parts.append(views.progress_bar(view.progress, lang))
    elif view.job.state in _WAITING:
        parts.append(html.waiting(say(f"export.{_WAITING[view.job.state]}", lang)))
    return html.join(parts)


def result(view: ExportView, lang: str) -> Markup:
    """What was made: verification, files, and what to do with them."""
    if view.report is None:
        return Markup("")
    loaded = [_named("export.loaded", one, lang, _LOADED) for one in view.report.get("loaded", [])]
    parts = [html.notice("good", say("export.verified", lang, ways=", ".join(loaded)))]
    if view.report.get("pushed"):
        parts.append(_pushed(view.report["pushed"], lang))
    if view.parity:
        parts.append(_parity(view.parity, lang))
    return html.join([*parts, _next(view, lang), _files(view, lang), _use(view, lang)])


def _pushed(pushed: Mapping[str, Any], lang: str) -> Markup:
    address = str(pushed.get("address", ""))
    safe = urlsplit(address).scheme in {"https", "http"}
    where = html.link_text(address, address) if safe else Markup("<code>{}</code>").format(address)
    text = say("export.pushed", lang, files=html.number(len(pushed.get("files", {})), lang), where="\0")
    before, _, after = text.partition("\0")
    return html.notice("good", Markup("{}{}{}").format(before, where, after))


def _parity(parity: Mapping[str, Any], lang: str) -> Markup:
    headers = [say(f"export.parity.{key}", lang) for key in ("way", "tokens", "answers", "note")]
    table = html.table(
        headers, [_parity_row(row, lang) for row in parity["rows"]], say("export.parity.title", lang)
    )
    why = html.join(_difference(row, lang) for row in parity["rows"] if row.get("first_difference"))
    asked = html.join(
        Markup("<li><q>{}</q> → {}</li>").format(
            html.shorten(one["text"] if not one["messages"] else one["messages"][-1]["content"], 120),
            html.shorten(one["answer"], 160) or "–",
        )
        for one in parity.get("prompts", [])
    )
    listed = html.details(say("export.parity.prompts", lang), Markup("<ul>{}</ul>").format(asked))
    heading = Markup('<h3 class="ft-title">{}</h3>').format(say("export.parity.title", lang))
    lede = html.paragraph(say("export.parity.lede", lang))
    return Markup("<section>{}</section>").format(html.join([heading, lede, table, why, listed]))


def _parity_row(row: Mapping[str, Any], lang: str) -> tuple[str, ...]:
    equal = row["token_ids_equal"]
    tokens = "–" if equal is None else say("export.yes" if equal else "export.no", lang)
    answers = f"{html.number(row['equal_answers'], lang)} / {html.number(row['prompts'], lang)}"
    note = str(row["note"])
    pill = html.pill(_NOTES.get(note, "plain"), _named("export.note", note, lang, _NOTES))
    return _named("export.way", str(row["way"]), lang, _WAYS), tokens, answers, pill


def _difference(row: Mapping[str, Any], lang: str) -> Markup:
    """Where a way first said something else, and how near the trained model was to that."""
    first = row["first_difference"]
    text = say(
        "export.parity.gap",
        lang,
        prompt=first["prompt"] + 1,
        token=first["token"] + 1,
        expected=first["expected"],
        got=first["got"],
        gap=html.percent(first["gap"], lang, 2),
        most=html.percent(first["tolerance"], lang, 1),
    )
    way = _named("export.way", str(row["way"]), lang, _WAYS)
    return Markup('<p class="ft-quiet"><strong>{}</strong> – {}</p>').format(way, text)


def _files(view: ExportView, lang: str) -> Markup:
    base = f"/download/export/{view.export.id}"
    rows = [
        (
            Markup('<a href="{}?name={}" download>{}</a>').format(base, quote(one.name, safe=""), one.name),
            html.file_size(one.size, lang),
            Markup('<code class="ft-hash">{}</code>').format(one.sha256),
        )
        for one in view.files
    ]
    headers = [say(f"export.files.{key}", lang) for key in ("name", "size", "hash")]
    table = html.table(headers, rows, say("export.files.title", lang))
    summary = say("export.files.title", lang) + f" ({html.number(len(rows), lang)})"
    return html.details(summary, table, open_=len(rows) <= _FILES_OPEN)


def _next(view: ExportView, lang: str) -> Markup:
    """Taking it along; and, of weights that can be asked here, serving them and holding them against the run."""
    whole = Markup('<a class="ft-button ft-primary" href="/download/export/{}" download>{}</a>').format(
        view.export.id, say("export.download", lang, size=html.file_size(_bytes(view), lang))
    )
    if view.options.target not in names.ASKED_HERE:
        return html.actions(whole)
    sides = f"run:{view.export.run},export:{view.export.id}"
    return html.actions(
        whole,
        html.link(html.url("serve", export=view.export.id), say("export.serve", lang)),
        html.link(html.url("compare", sides=sides), say("export.compare", lang)),
    )


def _use(view: ExportView, lang: str) -> Markup:
    text = html.paragraph(say(f"export.use.{view.options.target}", lang))
    command = _COMMANDS.get(view.options.target, "")
    code = Markup('<pre class="ft-command">{}</pre>').format(command) if command else ""
    return html.details(say("export.use.title", lang), text + code)


def _parity_pill(view: ExportView, lang: str) -> str:
    if not view.parity:
        return "–"
    notes = [str(row["note"]) for row in view.parity["rows"]]
    worst = next((note for note in notes if note not in {"same", "rounding"}), "same")
    counts = {"same": html.number(notes.count("same"), lang), "ways": html.number(len(notes), lang)}
    key = "rounded" if "rounding" in notes else "count"
    text = say(f"export.parity.{key}", lang, **counts, rounded=html.number(notes.count("rounding"), lang))
    return html.pill(_NOTES.get(worst, "plain"), text)


def _named(prefix: str, name: str, lang: str, known: Collection[str]) -> str:
    """A worker's word in the reader's language; as it stands where it is new."""
    return say(f"{prefix}.{name}", lang) if name in known else name


def _bytes(view: ExportView) -> int:
    return sum(one.size for one in view.files)
