import ast
import json
import math
import re
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import gradio as gr
import pytest

import ftkit.ui
from ftkit.errors import FtkitError, NotAllowed, NotFound
from ftkit.jobs.folder import JobFolder
from ftkit.loop.service import NextStudy, NextTraining
from ftkit.models.catalogue import CATALOGUE
from ftkit.records import Job, Model, Run
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.store.jobs import JobTable
from ftkit.training.spec import RunSpec
from ftkit.ui import form
from ftkit.ui.i18n import LANGUAGES, catalogue
from ftkit.ui.pages import curves, runs, train
from ftkit.ui.pages.compare import page as compare
from ftkit.ui.pages.data import page as data
from ftkit.ui.pages.evaluation import evaluate
from ftkit.ui.pages.model import page as model
from ftkit.ui.pages.sweeps import page as sweeps
from ftkit.ui.ratings import addresses
from ftkit.workspace import Workspace

PAGES = {
    "data": data,
    "model": model,
    "train": train,
    "runs": runs,
    "curves": curves,
    "evaluate": evaluate,
    "compare": compare,
    "sweeps": sweeps,
}
UI = Path(ftkit.ui.__file__).parent
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROWS = [{"question": f"What is {n} plus {n}?", "answer": f"It is {2 * n}."} for n in range(30)]


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path / "home")})) as workspace:
        yield workspace


def page_of(name: str, workspace: Workspace) -> Any:
    with gr.Blocks():
        return PAGES[name]._Page(workspace)


def visit(lang: str = "en", **ids: str) -> Any:
    return SimpleNamespace(query_params=ids, cookies={"ftkit_lang": lang}, headers={}, session_hash="here")


def ids_of(address: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in address.partition("?")[2].split("&"))


def upload(workspace: Workspace, rows: list[dict[str, str]], page: Any) -> dict[str, str]:
    """What the upload leaves in Gradio's folder, given to the page as Gradio does."""
    arrived = workspace.settings.home / "tmp" / "ab12" / "rows.json"
    arrived.parent.mkdir(parents=True, exist_ok=True)
    arrived.write_text(json.dumps(rows), encoding="utf-8")
    return ids_of(page._incoming.take([str(arrived)]))


def literal_keys() -> tuple[set[str], list[str]]:
    """Keys of all texts that the pages use: whole ones, and patterns of those with a variable part."""
    whole, patterns = set(), []
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "told":
                continue  # the report's own words
            key = node.args[0]
            if name in {"t", "say"} and isinstance(key, ast.JoinedStr):
                parts = [re.escape(p.value) if isinstance(p, ast.Constant) else ".+" for p in key.values]
                patterns.append("".join(parts))
            elif isinstance(key, ast.Constant) and name in {"t", "say"}:
                whole.add(key.value)
            elif isinstance(key, ast.Constant) and name in {"section", "page_heading"}:
                whole |= {f"{key.value}.title", f"{key.value}.lede"}
    return whole, patterns


def test_every_text_that_is_used_exists_in_every_language() -> None:
    whole, patterns = literal_keys()
    assert len(whole) > 100
    for lang in LANGUAGES:
        texts = catalogue(lang)
        assert whole <= texts.keys()
        for pattern in patterns:
            assert any(re.fullmatch(pattern, key) for key in texts), pattern


def test_texts_of_models_samples_roles_and_options_exist_in_every_language(workspace: Workspace) -> None:
    wanted = {f"model.{kind}.{entry.id}" for entry in CATALOGUE for kind in ("languages", "suits")}
    wanted |= {
        f"data.sample.{one.name}.{kind}" for one in workspace.data.samples() for kind in ("title", "text")
    }
    wanted |= {f"data.role.{role}{kind}" for role in data.ROLES for kind in ("", ".help")}
    wanted |= {f"train.about.{recipe.name}" for recipe in workspace.training.recipes()}
    wanted |= {f"spec.{name}.{kind}" for name in RunSpec.model_fields for kind in ("label", "help")}
    for lang in LANGUAGES:
        assert wanted <= catalogue(lang).keys()
    english, turkish = catalogue("en"), catalogue("tr")
    same = {key for key in wanted if key.startswith("spec.") and english[key] == turkish[key]}
    assert same <= {f"spec.{name}.label" for name in ("bf16", "beta", "use_dora", "use_rslora")}


def test_translations_have_the_same_placeholders() -> None:
    def names(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    english, turkish = catalogue("en"), catalogue("tr")
    pages = [key for key in english if key.split(".")[0] in {*PAGES, "views", "restored"}]
    assert [key for key in pages if names(english[key]) != names(turkish[key])] == []


@pytest.mark.parametrize("name", PAGES)
def test_each_page_builds_and_names_every_event(name: str, workspace: Workspace) -> None:
    with gr.Blocks() as demo:
        PAGES[name].build(workspace)
    names = [fn.api_name for fn in demo.fns.values() if not fn.is_cancel_function]
    assert len(names) == len(set(names))
    assert all(str(found).startswith(f"{name}_") for found in names)
    assert all(hasattr(fn.fn, "__ftkit_role__") for fn in demo.fns.values() if fn.fn is not None)
    assert all(fn.queue for fn in demo.fns.values() if fn.fn is not None)


def test_handlers_give_as_many_values_as_there_are_outputs(workspace: Workspace) -> None:
    """Gradio notices a wrong number only once the event happens."""
    dataset = workspace.data.import_sample("house-voice-en").id
    split = workspace.splits.split(dataset).id
    cases = [
        *(("data", "data_open", "_open", (visit(**ids),)) for ids in ({}, {"dataset": dataset}, {"dataset": dataset, "split": split})),
        ("data", "data_look", "_stay", (visit(dataset=dataset), 0, [], 124, *[""] * len(data.ROLES))),
        ("data", "data_look", "_stay", (visit(), 0, [], 0, *[""] * len(data.ROLES))),
        ("train", "train_open", "_arrive", (visit(),)),
        ("train", "train_recipe", "_take_recipe", (visit(), "smollm2-135m/sft-lora")),
        ("train", "train_from_run", "_copy", (visit(), None)),
        ("train", "train_card", "_look", (visit(), None, None, *form.show(RunSpec()))),
        ("train", "train_card", "_look", (visit(), split, "smollm2-135m/sft-lora", *form.show(RunSpec()))),
        *(("runs", "runs_open", "_show", (visit(**ids), "")) for ids in ({}, {"run": "gone"})),
        ("curves", "curves_open", "_open", (visit(),)),
        ("curves", "curves_show", "_show", (visit(runs="gone"), "")),
        ("evaluate", "evaluate_open", "_open", (visit(),)),
        ("evaluate", "evaluate_show", "_show", (visit(), "")),
        ("evaluate", "evaluate_on", "_turn_on", (visit(), 0)),
        ("compare", "compare_open", "_open", (visit(),)),
        ("model", "model_open", "_show", (visit(model="qwen3-0.6b"), "")),
    ]  # fmt: skip
    built = {}
    for name, event, handler, arguments in cases:
        if name not in built:
            with gr.Blocks() as demo:
                built[name] = PAGES[name]._Page(workspace), demo
        page, demo = built[name]
        outputs = next(fn.outputs for fn in demo.fns.values() if fn.api_name == event)
        assert len(getattr(page, handler)(*arguments)) == len(outputs), (event, arguments)


def finished_run(workspace: Workspace) -> Run:
    """A run as its worker left it: records and files, without the minutes of training."""
    split = workspace.splits.split(workspace.data.import_sample("house-voice-en").id)
    run = Run(
        id="r1", name="Done", created_at=NOW, parents=(split.id,), recipe="smollm2-135m/sft-lora", split=split.id,
        model="tiny", spec=RunSpec(r=8).model_dump(mode="json"),
    )  # fmt: skip
    workspace.artefacts.add(run)
    folder = JobFolder(workspace.folders.run(run.id))
    folder.path.mkdir(parents=True)
    lines = [{"step": step, "loss": 2 - step / 20, "learning_rate": 1e-4} for step in range(1, 31)]
    lines += [{"step": 20, "eval_loss": 1.25}, {"step": 30, "eval_loss": math.nan}]
    folder.metrics.write_text("".join(json.dumps(line) + "\n" for line in lines))
    folder.log.write_text("last words\n")
    job = Job(
        id="j1", kind="train", lane="compute", artefact=run.id, state="done", nonce="n1", queued_at=NOW, started_at=NOW,
        finished_at=NOW + timedelta(seconds=75),
    )  # fmt: skip
    JobTable(workspace._database).add(job)
    folder.finish(job.nonce, "done", metrics={"eval_loss": 1.25, "train_seconds": 65})
    return run


def test_a_finished_run_is_shown_with_its_curves_and_what_comes_next(workspace: Workspace) -> None:
    run = finished_run(workspace)
    page = page_of("runs", workspace)
    shown = page._show(visit(run=run.id), "")
    assert len(shown) == 24
    _, table, opened, head, after, *buttons, told, notice, loss = shown[:14]
    rest = shown[14:]
    assert 'aria-current="true"' in table
    assert opened.visible
    assert "1 min 15 s" in head
    assert "1.250" in head
    for page_name in ("evaluate", "compare"):
        assert f'href="/{page_name}?run={run.id}"' in after
    assert f'href="/train?split={run.split}&amp;copy={run.id}"' in after
    assert [one.visible for one in buttons] == [False, False, False, False, True, False]
    assert "<tbody></tbody>" in told
    assert "[30]" in notice
    assert loss["series"].value_counts().to_dict() == {
        "training": 30,
        "training, smoothed": 30,
        "validation": 1,
    }
    assert len(rest[0]) == 30
    assert [plot.visible for plot in rest[4:6]] == [False, False], "no point, no plot"
    assert rest[-3] == "last words\n"
    assert not rest[-1].active
    assert page._show(visit(run=run.id), shown[0]) == gr.skip()
    assert "koşu" in str(page._show(visit("tr", run=run.id), "")[1:5]).casefold()


def test_the_train_page_copies_an_earlier_run(workspace: Workspace) -> None:
    run = finished_run(workspace)
    page = page_of("train", workspace)
    note, recipe = (page._arrive(visit(split=run.split, copy=run.id))[place] for place in (1, 6))
    assert "taken from the run Done" in note
    assert recipe.value == run.recipe
    assert page._arrive(visit(copy=run.id))[7 + form.FIELDS.index("r")]["value"] == 8


def test_the_train_page_is_filled_in_to_train_a_run_further(workspace: Workspace) -> None:
    run = finished_run(workspace)
    following = NextTraining(
        split=run.split, recipe="smollm2-135m/dpo-lora", model=run.model, start_from_run=run.id
    )
    address = addresses.to_training(following)
    assert address.startswith("/train?split=")
    page = page_of("train", workspace)
    shown = page._arrive(visit(**{name: unquote(value) for name, value in ids_of(address).items()}))
    values = dict(zip(form.FIELDS, shown[7:], strict=False))
    assert "train the run Done further" in shown[1]
    assert (shown[5].value, shown[6].value) == (run.split, "smollm2-135m/dpo-lora")
    assert values["start_from_run"]["value"] == run.id
    assert (
        values["method"]["value"] == "dpo"
        if isinstance(values["method"], dict)
        else values["method"] == "dpo"
    )
    anew = addresses.to_training(following.model_copy(update={"start_from_run": ""}))
    assert f"model={run.model}" in anew
    assert (
        "fit the data that you come from"
        in page._arrive(visit(**{name: unquote(value) for name, value in ids_of(anew).items()}))[1]
    )


def test_the_way_goes_on_from_a_trained_run() -> None:
    following = NextStudy(sides=("base:m", "run:a"), split="s1", part="validation")
    assert unquote(addresses.to_study(following)) == "/ratings?sides=base:m,run:a&split=s1&part=validation"
    assert addresses.to_evaluation("a") == "/evaluate?run=a"


def test_only_finished_runs_can_be_evaluated_and_compared(workspace: Workspace) -> None:
    run = finished_run(workspace)
    note, _, choice, others = page_of("evaluate", workspace)._open(visit(run=run.id))
    assert (note, choice.value, others.visible) == ("", run.id, False)
    note, _, choice, _ = page_of("evaluate", workspace)._open(visit(run="other"))
    assert "not finished" in note
    assert choice.value is None
    assert "Not evaluated yet" in page_of("evaluate", workspace)._show(visit(run=run.id), "")[1]


def test_a_run_is_compared_with_its_base_model(workspace: Workspace) -> None:
    run = finished_run(workspace)
    page = page_of("compare", workspace)
    note, form, *_ = page._open(visit(run=run.id))
    assert "No model yet" in note
    write_json(workspace.folders.run(run.id) / "adapter" / "adapter_config.json", {})
    model = Model(id=run.model, name="Tiny", created_at=NOW, source="bundled")
    write_json(workspace.folders.model(run.model) / "model.json", model.model_dump(mode="json"))
    note, form, link, *rest = page._open(visit(run=run.id))
    names, strengths, (rows, offered) = rest[:4], rest[4:8], rest[8:10]
    assert (note, form.visible) == ("", True)
    assert [name.value for name in names] == [f"base:{run.model}", f"run:{run.id}", "", ""]
    assert [strength.visible for strength in strengths] == [False, True, False, False]
    assert f"base%3A{run.model}%2Crun%3A{run.id}" in link
    assert len(rows.choices) == len(offered["rows"]) + 1
    system, _, prompt, earlier, reference = page._chat._take_row(visit(), 0, offered)
    assert prompt == offered["rows"][0]["prompt"][-1]["content"]
    assert (system, earlier["turns"]) == ("", [])
    assert "The reference answer" in reference

    names = page._open(visit(sides=f"run:{run.id}@0.5"))[3:7]
    assert [name.value for name in names] == [f"run:{run.id}", "", "", ""]
    assert page._open(visit(sides=f"run:{run.id}@0.5"))[7].value == 0.5
    for wrong, words in (("run:gone", "gone"), ("nonsense", "names no model")):
        note, form, *_ = page._open(visit(sides=wrong))
        assert words in note
        assert form.visible


def test_an_evaluation_that_was_stopped_can_go_on_from_the_page(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace.jobs._supervision, "tick", lambda: None)  # nothing is started
    run = finished_run(workspace)
    other = run.model_copy(update={"id": "r2", "name": "Beside"})
    workspace.artefacts.add(other)
    JobTable(workspace._database).add(
        workspace.jobs.of(run.id).model_copy(update={"id": "j2", "artefact": "r2", "nonce": "n2"})
    )
    for one in (run, other):
        write_json(workspace.folders.run(one.id) / "adapter" / "adapter_config.json", {})
    page = page_of("evaluate", workspace)
    _, _, _, others = page._open(visit(run=run.id))
    assert others.visible
    assert [id_ for _, id_ in others.choices] == ["r2"]
    address = page._begin(run.id, "test", ["r2"], "found", [], "", False, False)
    id_ = address.rpartition("evaluation=")[2]
    assert workspace.evaluation.get(id_).evaluation.others == ("r2",)
    *_, stop, resume = page._show(visit(run=run.id, evaluation=id_), "")
    assert (stop.visible, resume.visible) == (True, False)
    _, result, *_, stop, resume = page._end(visit(run=run.id, evaluation=id_))
    assert (stop.visible, resume.visible) == (False, True)
    assert "so far is kept" in result
    *_, timer, stop, resume = page._go_on(visit(run=run.id, evaluation=id_))
    assert (timer.active, stop.visible, resume.visible) == (True, True, False)
    assert workspace.evaluation.get(id_).job.state == "queued"


def test_a_question_of_several_turns_keeps_them(workspace: Workspace) -> None:
    turns = [("system", "Be kind."), ("user", "Hi <b>"), ("assistant", "Hello"), ("user", "And now?")]
    offered = {
        "split": "s",
        "rows": [{"prompt": [{"role": role, "content": text} for role, text in turns], "reference": "Now."}],
    }
    chat = page_of("compare", workspace)._chat
    system, before, prompt, earlier, _ = chat._take_row(visit(), 0, offered)
    assert (system, prompt) == ("Be kind.", "And now?")
    assert [turn["content"] for turn in earlier["turns"]] == ["Hi <b>", "Hello"]
    assert "Hi &lt;b&gt;" in before


def test_an_empty_question_is_refused_before_anything_starts(workspace: Workspace) -> None:
    run = finished_run(workspace)
    write_json(workspace.folders.run(run.id) / "adapter" / "adapter_config.json", {})
    values = [f"run:{run.id}", "", "", "", 1, 1, 1, 1, "", 0, 1, 0, 1, 64, 42]
    chat = page_of("compare", workspace)._chat
    row = {"turns": [], "reference": "", "row": False}
    asked = chat._answer(
        visit(run=run.id), {"sides": [], "labels": [], "sampling": {}, "rows": []}, row, "  ", *values
    )
    with pytest.raises(FtkitError):
        list(asked)
    assert workspace.jobs.unfinished() == []


def test_the_log_of_a_run_is_searched_as_a_whole(workspace: Workspace) -> None:
    run = finished_run(workspace)
    page = page_of("runs", workspace)
    found, end = page._find(visit(run=run.id), "LAST")
    assert "<code>last words</code>" in found
    assert not end.visible
    for nothing in (None, "", "  "):
        found, end = page._find(visit(run=run.id), nothing)
        assert (found, end.visible) == ("", True)


def test_deleting_asks_first(workspace: Workspace) -> None:
    run = finished_run(workspace)
    page = page_of("runs", workspace)
    assert page._deleting.ask().visible
    assert not page._deleting.spare().visible
    assert page._delete_run(visit(run=run.id)) == "/runs"
    assert workspace.training.all() == []


@pytest.mark.parametrize(("name", "handler"), [("runs", "_show"), ("evaluate", "_show"), ("model", "_show")])
def test_an_unchanged_page_is_not_sent_again(name: str, handler: str, workspace: Workspace) -> None:
    page = page_of(name, workspace)
    first = getattr(page, handler)(visit(), "")
    if name != "evaluate":
        assert getattr(page, handler)(visit(), first[0]) == gr.skip()
    assert first != gr.skip()


@pytest.mark.parametrize(
    ("name", "handler", "words"),
    [
        ("runs", "_show", "No runs yet"),
        ("train", "_arrive", "No data to train on yet"),
        ("evaluate", "_open", "No finished run yet"),
        ("compare", "_open", "No model yet"),
        ("model", "_show", "Get the first one below"),
    ],
)
def test_an_empty_page_says_what_to_do_next(
    name: str, handler: str, words: str, workspace: Workspace
) -> None:
    page = page_of(name, workspace)
    shown = getattr(page, handler)(*([visit(), ""] if handler == "_show" else [visit()]))
    text = " ".join(str(part) for part in shown)
    assert words in text
    if name != "model":
        assert 'href="/' in text


def test_a_file_becomes_a_dataset_and_a_split(workspace: Workspace) -> None:
    page = page_of("data", workspace)
    ids = upload(workspace, ROWS, page)
    head, rows, count = (page._open(visit(**ids))[place] for place in (1, 4, 5))
    assert "Every line became a row." in head
    assert (rows[0], count) == (ROWS[0], 20)
    roles = [part.value for part in page._open(visit(**ids))[7:]]
    guessed = dict(zip(data.ROLES, roles, strict=True))
    assert guessed["assistant"] == "answer"

    row, place, chat, _ = page._go_on(visit(**ids), 0, rows, count, *roles)
    assert (row, place) == (1, "Row 2 of the first 20")
    assert "What is 1 plus 1?" in chat
    assert page._go_back(visit(**ids), 0, rows, count, *roles)[0] == 0

    ids = ids_of(page._save_rows(visit(**ids), " Sums ", *roles))
    assert workspace.data.get(ids["dataset"]).name == "Sums"
    ids = ids_of(page._split(visit(**ids), 80, 10, 10, 7))
    made = workspace.splits.get(ids["split"])
    assert (sum(made.sizes.values()), made.seed) == (30, 7)
    head = page._open(visit(**ids))[1]
    assert f'href="/train?split={made.id}"' in head
    assert "Satır 4 / 30" in page._go_on(visit("tr", **ids), 2, [], 30, *roles)


def test_other_roles_make_another_dataset(workspace: Workspace) -> None:
    page = page_of("data", workspace)
    first = workspace.data.import_sample("house-voice-en")
    roles = ["question" if role == "text" else "" for role in data.ROLES]
    ids = ids_of(page._save_rows(visit(dataset=first.id), "", *roles))
    assert ids["dataset"] != first.id
    assert workspace.data.get(ids["dataset"]).mapping == {"text": "question"}


def test_a_row_that_does_not_fit_the_roles_says_why(workspace: Workspace) -> None:
    page = page_of("data", workspace)
    roles = ["question" if role == "messages" else "" for role in data.ROLES]
    chat = page._stay(visit(), 0, ROWS, 30, *roles)[2]
    assert "“question” is not a list of messages" in chat


def test_a_path_that_is_no_upload_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    page = page_of("data", workspace)
    secret = tmp_path / "home" / "secret.json"
    secret.write_text("[]")
    (tmp_path / "home" / "tmp").mkdir()
    link = tmp_path / "home" / "tmp" / "link.json"
    link.symlink_to(secret)
    for path in (secret, link, tmp_path / "home" / "tmp" / ".." / "secret.json"):
        with pytest.raises(NotAllowed):
            page._incoming.take([str(path)])


def test_an_unknown_id_in_the_address_is_said(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        page_of("data", workspace)._open(visit(dataset="nothing"))
    listed = page_of("runs", workspace)._show(visit(run="<b>x"), "")[1]
    assert "There is no run with the id &lt;b&gt;x" in listed
    assert "No runs yet" in listed


def test_the_train_page_takes_split_and_recipe_from_the_address(workspace: Workspace) -> None:
    dataset = workspace.data.import_sample("house-voice-en")
    first, second = (workspace.splits.split(dataset.id, seed=seed) for seed in (1, 2))
    page = page_of("train", workspace)
    shown = page._arrive(visit(split=first.id))
    split, recipe, *fields = shown[5:-3]
    assert split.value == first.id
    assert {value for _, value in split.choices} == {first.id, second.id}
    assert recipe.value == workspace.training.recipes()[0].name
    assert len(fields) == len(form.FIELDS)
    assert shown[0] != page._arrive(visit(split=first.id))[0]


def test_wrong_settings_are_said_before_a_run_is_looked_at(workspace: Workspace) -> None:
    page = page_of("train", workspace)
    values = form.show(RunSpec().model_copy(update={"r": 0}))
    note, card, command, text = page._look(visit("tr"), "s1", "smollm2-135m/sft-lora", *values)
    assert "LoRA kertesi: En az 1 olmalı." in note
    assert (card, command, text) == ("", "", "")
    assert [verdict["is_valid"] for verdict in page._check("", "", "s1", "r", *values)].count(False) == 1


def test_a_missing_model_is_said_with_the_way_to_it(workspace: Workspace) -> None:
    dataset = workspace.data.import_sample("house-voice-en")
    split = workspace.splits.split(dataset.id)
    page = page_of("train", workspace)
    note, card, command, text = page._look(
        visit(), split.id, "smollm2-135m/sft-lora", *form.show(RunSpec(r=8))
    )
    assert note == ""
    assert 'href="/model"' in card
    assert "--set r=8" in command
    assert "learning_rate: 0.0005" in text
