from datetime import UTC, datetime

import pytest

from ftkit.records import Job, Run, Split
from ftkit.settings import Settings
from ftkit.training.service import RunView
from ftkit.training.watching.progress import Progress
from ftkit.ui.pages.home import STEPS, Overview, latest, look, now, way
from ftkit.workspace import Workspace
from tests.unit.ui.ratings.study import study_view

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def split() -> Split:
    return Split(
        id="s1", name="s", created_at=WHEN, dataset="d1", ratios=(0.8, 0.1, 0.1), mapping={},
        sizes={"train": 8, "validation": 1, "test": 1},
    )  # fmt: skip


def run(state="done", name="Tickets", progress=None) -> RunView:
    record = Run(id="r1", name=name, created_at=WHEN, recipe="a/b", split="s1", model="m", spec={})
    job = Job(id="j1", kind="train", lane="runs", artefact="r1", state=state, nonce="n", queued_at=WHEN)
    return RunView(record, job, state, {}, progress)


def overview(**changes) -> Overview:
    return Overview(**{"datasets": 0, "splits": [], "models": 1, "runs": [], "evaluations": 0, **changes})


RATED = {
    "splits": [split()], "runs": [run()], "evaluations": 1, "studies": [study_view(state="closed")],
}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "following"),
    [
        (overview(), "data"),
        (overview(datasets=1), "data"),  # data that is not split cannot be trained on
        (overview(splits=[split()]), "train"),
        (overview(splits=[split()], runs=[run("running")]), "runs"),
        (overview(splits=[split()], runs=[run("failed")]), "runs"),
        (overview(splits=[split()], runs=[run()]), "evaluate"),
        (overview(splits=[split()], runs=[run()], evaluations=1), "compare"),
        (overview(splits=[split()], runs=[run()], evaluations=1, studies=[study_view()]), "ratings"),
        (overview(**RATED), "export"),
        (overview(**RATED, exports=1, versions=1), "serve"),  # a version that was stopped answers nobody
        (overview(**RATED, exports=1, versions=1, live="Tickets", requests=40), "monitor"),
    ],
)
def test_the_next_step_is_the_first_that_is_not_done(found, following):
    standings = found.standings()
    assert [step for step in STEPS if standings[step] == "next"] == [following]
    before = STEPS[: STEPS.index(following)]
    assert {standings[step] for step in before} <= {"done"}
    assert "done" not in {standings[step] for step in STEPS[len(before) :]}


def test_the_way_is_done_once_requests_became_data():
    found = overview(**RATED, exports=2, versions=3, live="Tickets <2>", requests=1234, harvests=1)
    assert set(found.standings().values()) == {"done"}
    html = str(way(found, "en"))
    for text in (
        "Exports: 2",
        "Live: Tickets &lt;2&gt; · Versions: 3",
        "Requests: 1234 · Harvests: 1",
        ": 11",
    ):
        assert text in html
    assert "Nothing is live" in way(overview(), "en")


def test_a_study_counts_once_it_was_closed_with_ratings():
    unrated = overview(**{**RATED, "studies": [study_view(state="closed", ratings=0)]})
    assert unrated.standings()["ratings"] == "next"


@pytest.mark.parametrize(
    ("lang", "one", "many"), [("en", "One alert", "3 alerts"), ("tr", "Bir uyarı", "3 uyarı")]
)
def test_alerts_that_nobody_has_seen_are_told_with_where_to_see_them(lang, one, many):
    told = str(now(overview(alerts=1), lang))
    assert one in told
    assert 'href="/monitor"' in told
    assert many in now(overview(alerts=3), lang)
    assert str(now(overview(), lang)) == ""


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_the_way_says_each_step_s_state_in_words_too(lang):
    html = str(way(overview(splits=[split()]), lang))
    assert html.count("<li") == len(STEPS)
    assert html.count("✓") == 1
    assert {"en": "(next step)", "tr": "(sıradaki adım)"}[lang] in html


def test_a_running_job_is_shown_with_its_progress_and_link():
    html = str(now(overview(runs=[run("running", progress=Progress("training", 5, 20, 60.0, 0.0))]), "en"))
    assert 'href="/runs?run=r1"' in html
    assert 'aria-valuenow="25"' in html


def test_a_waiting_run_counts_as_active_and_an_ended_one_does_not():
    assert overview(runs=[run("queued")]).active
    assert not overview(runs=[run("lost")]).active
    assert str(now(overview(runs=[run()]), "en")) == ""


def test_a_missing_model_is_said_with_where_to_get_it():
    assert 'href="/model"' in now(overview(models=0), "en")


def test_names_cannot_write_into_the_page():
    name = "<img src=x onerror=alert(1)>"
    found = overview(runs=[run("running", name=name)])
    for html in (now(found, "en"), latest(found, "en")):
        assert "<img" not in html
        assert "&lt;img" in html


def test_it_looks_at_the_real_services(tmp_path):
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path)})) as workspace:
        assert look(workspace) == Overview(
            datasets=0, splits=[], models=0, runs=[], evaluations=0, studies=[]
        )
        dataset = workspace.data.import_sample(workspace.data.samples()[0].name)
        made = workspace.splits.split(dataset.id)
        assert look(workspace) == Overview(
            datasets=1, splits=[made], models=0, runs=[], evaluations=0, studies=[]
        )
