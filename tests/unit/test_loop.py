"""From data to a study and from ratings to a run, over real rooms; models do not answer here."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftkit.errors import BadInput, Refused
from ftkit.loop.service import NextStudy, NextTraining
from ftkit.ratings.preferences.wishes import PreferenceWishes
from ftkit.ratings.studies.options import Source, StudyOptions
from ftkit.records import Dataset, Run, Split
from ftkit.settings import Settings
from ftkit.store.files import read_json, write_json
from ftkit.workspace import Workspace
from tests.finished_run import NOW, SleepingLauncher
from tests.studied import SIDES, open_study, rate_all

PARTS = {"rows_train", "rows_validation", "rows_between_parts"}
BASE, RUN = "smollm2-135m", "ab12cd34ef56"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setattr("ftkit.workspace.Launcher", lambda *_, **__: SleepingLauncher())
    settings = Settings.from_environment({**os.environ, "FTKIT_HOME": str(tmp_path / "home")})
    with Workspace(settings) as made:
        yield made


@pytest.fixture
def split(workspace: Workspace, tmp_path: Path) -> str:
    rows = [
        {"question": f"question {n} of many words", "answer": f"answer {n}", "kind": ("a", "b")[n % 2]}
        for n in range(40)
    ]
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(rows))
    return workspace.splits.split(workspace.data.import_file(file).id, (0.5, 0.25, 0.25)).id


def add_models(workspace: Workspace, **spec: Any) -> None:
    model = {"id": BASE, "name": "Small", "created_at": NOW.isoformat(), "source": "bundled"}
    write_json(workspace.folders.model(BASE) / "model.json", model)
    add_run(workspace, RUN, **spec)


def add_run(workspace: Workspace, id_: str, split: str = "gone", **spec: Any) -> None:
    run = Run(
        id=id_,
        name=f"Run {id_}",
        created_at=NOW,
        recipe="r",
        split=split,
        model=BASE,
        spec={"method": "sft", **spec},
    )
    workspace.jobs.submit("train", id_, record=run)
    write_json(workspace.folders.run(id_) / "adapter" / "adapter_config.json", {})


def options(**values: Any) -> StudyOptions:
    return StudyOptions.parse({"sides": SIDES, **values})


def prompts(workspace: Workspace, study: str) -> list[dict[str, Any]]:
    return read_json(workspace.folders.study(study) / "prompts.json") or []


def test_prompts_come_from_a_part_with_place_and_labels(workspace: Workspace, split: str) -> None:
    add_models(workspace)
    study = workspace.new_study(options(), Source(split=split, part="validation"), rows=4)
    assert (study.split, study.part, study.dataset) == (split, "validation", "")
    assert set(study.parents) == {RUN, split}
    found = prompts(workspace, study.id)
    part = workspace.splits.rows(split, "validation", 0, 100)
    assert len(found) == 4
    for one in found:
        row = part[one["row"]]
        assert one["messages"] == [{"role": "user", "content": row["question"]}]
        assert (one["reference"], one["slices"]["kind"]) == (row["answer"], row["kind"])
    again = workspace.new_study(options(), Source(split=split, part="validation"), rows=4)
    assert prompts(workspace, again.id) == found
    asked = read_json(workspace.folders.study(study.id) / "inputs.json")
    assert [one["messages"] for one in asked["prompts"]] == [one["messages"] for one in found]
    assert [(side["name"], side["tuned"] is None) for side in asked["sides"]] == [
        (SIDES[0], True),
        (SIDES[1], False),
    ]


def test_prompts_come_from_a_dataset_or_from_a_person(workspace: Workspace, split: str) -> None:
    add_models(workspace)
    dataset = workspace.splits.get(split).dataset
    study = workspace.new_study(options(), Source(dataset=dataset), rows=100)
    assert len(prompts(workspace, study.id)) == 40
    assert study.dataset == dataset
    written = workspace.new_study(options(), texts=["  why? ", "", "how?", "why?"])
    assert [one["messages"][0]["content"] for one in prompts(workspace, written.id)] == ["why?", "how?"]


def test_what_gives_no_prompt_is_refused(workspace: Workspace, split: str) -> None:
    add_models(workspace)
    with pytest.raises(BadInput, match="Choose one"):
        workspace.new_study(options())
    with pytest.raises(BadInput, match="Choose one"):
        workspace.new_study(options(), Source(split=split, part="test"), texts=["a"])
    with pytest.raises(BadInput, match="1 to 5000 prompts, not 0"):
        workspace.new_study(options(), Source(split=split, part="test"), rows=0)
    with pytest.raises(BadInput, match="There is no part dev"):
        workspace.new_study(options(), Source(split=split, part="dev"))
    with pytest.raises(BadInput, match="There is no prompt"):
        workspace.new_study(options(), texts=[" "])


def place_of(told: dict[str, Any], answer: int) -> int:
    (place,) = (n for n, text in enumerate(told["task"]["answers"]) if text.startswith(f"Answer {answer} "))
    return place


def rated_study(workspace: Workspace, better: int = 1, raters: int = 2, **study: Any) -> str:
    """A closed study in which all raters prefer one answer, counted as in the item."""
    id_, tokens = open_study(workspace, raters=raters, prompts=12, overlap=raters, **study)
    for token in tokens:
        rate_all(workspace, token, lambda told: {"choice": place_of(told, better)})
    workspace.studies.close(id_)
    return id_


def test_ratings_become_a_dataset_and_a_split(workspace: Workspace) -> None:
    add_models(workspace)
    study = rated_study(workspace)
    made = workspace.make_preferences(study)
    dataset, split = (
        workspace.artefacts.get(Dataset, made.dataset),
        workspace.artefacts.get(Split, made.split),
    )
    assert dataset.parents == (study,)
    assert {name for _, name, _ in workspace.artefacts.lineage(split.id)} >= {split.id, dataset.id, study}
    rows = workspace.data.rows(dataset.id, limit=100)
    assert len(rows) == 12
    assert all("Answer 1" in row["chosen"] and "Answer 0" in row["rejected"] for row in rows)
    counts = made.counts
    assert (counts["items"], counts["rows"], counts["ratings_used"]) == (12, 12, 24)
    assert counts["rows_train"] + counts["rows_validation"] + counts["rows_between_parts"] == 12
    assert 2 <= counts["rows_validation"] <= 5
    assert dataset.notes == ("From the votes of raters: 12; from answers that they mended: 0.",)
    assert workspace.loop.count_preferences(study) == {
        name: counts[name] for name in counts if name not in PARTS
    }
    assert workspace.make_preferences(study) == made, "a second click finds it"
    assert workspace.make_preferences(study, PreferenceWishes(method="kto")).dataset != made.dataset


def test_an_open_study_and_one_without_preferences_give_no_data(workspace: Workspace) -> None:
    add_models(workspace)
    id_, tokens = open_study(workspace, prompts=2, overlap=1)
    with pytest.raises(Refused, match="is open. Close it first"):
        workspace.make_preferences(id_)
    rate_all(workspace, tokens[0], lambda _: {"choice": "tie"})
    workspace.studies.close(id_)
    with pytest.raises(BadInput, match=r"give no preference \(tie 2\)"):
        workspace.make_preferences(id_)


def test_a_rater_who_was_shut_out_changes_what_is_made(workspace: Workspace) -> None:
    add_models(workspace)
    study = rated_study(workspace)
    made = workspace.make_preferences(study)
    workspace.studies.revoke(study, workspace.studies.raters(study)[0].rater)
    without = workspace.make_preferences(study)
    assert (without.counts["ratings_revoked"], without.counts["ratings_used"]) == (12, 12)
    assert without.dataset != made.dataset


def test_training_goes_on_from_the_adapter_that_was_liked(workspace: Workspace) -> None:
    add_models(workspace)
    study = rated_study(workspace)
    made = workspace.make_preferences(study)
    following = workspace.next_training(study, made)
    assert following == NextTraining(
        split=made.split, recipe="smollm2-135m/dpo-lora", model=BASE, start_from_run=RUN
    )
    spec = workspace.loop.begun_with(following)
    assert (spec.method, spec.model_name_or_path, spec.start_from_run) == ("dpo", BASE, RUN)
    assert spec.warmup_steps < 10
    kto = workspace.make_preferences(study, PreferenceWishes(method="kto"))
    assert workspace.next_training(study, kto).recipe == "smollm2-135m/kto-lora"


def test_without_an_adapter_training_begins_anew(workspace: Workspace) -> None:
    add_models(workspace)
    (workspace.folders.run(RUN) / "adapter" / "adapter_config.json").unlink()
    write_json(workspace.folders.run(RUN) / "model" / "config.json", {})
    study = rated_study(workspace)
    following = workspace.next_training(study, workspace.make_preferences(study))
    assert (following.model, following.start_from_run) == (BASE, "")
    assert workspace.loop.begun_with(following).start_from_run == ""


def test_the_next_study_puts_the_new_run_beside_what_it_came_from(workspace: Workspace) -> None:
    add_models(workspace)
    study = rated_study(workspace)
    made = workspace.make_preferences(study)
    add_run(workspace, "dpo1", made.split, start_from_run=RUN)
    assert workspace.next_study("dpo1") == NextStudy(sides=(f"base:{BASE}", f"run:{RUN}", "run:dpo1"))
    add_run(workspace, "dpo2", made.split, start_from_run="dpo1")
    add_run(workspace, "dpo3", made.split, start_from_run="dpo2")
    assert workspace.next_study("dpo3").sides == (f"base:{BASE}", "run:dpo1", "run:dpo2", "run:dpo3")
    add_run(workspace, "alone", made.split, start_from_run="deleted")
    assert workspace.next_study("alone").sides == (f"base:{BASE}", "run:alone")
