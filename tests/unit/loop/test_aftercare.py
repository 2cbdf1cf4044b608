"""What is noticed of a served model, when it is measured again, and how its generations compare."""

from datetime import timedelta

import pytest

from ftkit.errors import BadInput
from ftkit.monitoring.traffic.exchange import Feedback
from ftkit.store.files import write_json
from ftkit.store.serving import versions
from tests.monitored import NOON, exchange, failed
from tests.unit.loop.conftest import Served


def measure(served: Served, evaluation: str, rows_hash: str, **report: object) -> None:
    """Play the worker of an evaluation."""
    workspace = served.workspace
    told = {"rows": 4, "signature": {"rows_hash": rows_hash}, **report}
    write_json(workspace.folders.evaluation(evaluation) / "report.json", told)
    job = workspace.jobs.of(evaluation)
    workspace.jobs.folder(job).finish(job.nonce, "done")
    workspace.jobs.tick()


def test_bad_traffic_raises_an_alert_of_its_version(served: Served) -> None:
    workspace = served.workspace
    served.record(*(exchange(n) for n in range(30)))
    workspace.tick()
    assert workspace.alerts.unseen() == []
    served.record(*(failed(n) for n in range(100, 130)))
    workspace.tick()
    assert workspace.alerts.unseen() == []  # it looks once a minute
    served.wait(seconds=61)
    workspace.tick()
    (alert,) = workspace.alerts.unseen()
    assert (alert.kind, alert.version, alert.values["count"], alert.values["of"]) == ("errors", "v1", 30, 60)
    assert alert.values["errors"] == {"serving.nothing_live": 30}
    served.wait(seconds=61)
    workspace.tick()
    assert len(workspace.alerts.all()) == 1


def test_lost_texts_raise_an_alert(served: Served) -> None:
    workspace = served.workspace
    served.keep_texts()
    workspace.traffic._lose(texts=3, reason="before")
    workspace.tick()
    assert workspace.alerts.unseen() == []
    workspace.traffic._lose(texts=2, reason="jobs.resident_asleep")
    served.wait(seconds=61)
    workspace.tick()
    (alert,) = workspace.alerts.unseen()
    assert (alert.kind, alert.values["texts"], alert.values["numbers"]) == ("masking", 2, 0)


def test_the_live_run_is_measured_when_it_is_new_and_after_some_days(served: Served) -> None:
    workspace = served.workspace
    workspace.tick()
    assert workspace.evaluation.all() == []  # off until it is chosen
    for days in (-1, 366):
        with pytest.raises(BadInput, match="0 .never. to 365"):
            workspace.reevaluation.choose(days)
    workspace.reevaluation.choose(7)
    workspace.tick()
    (first,) = workspace.evaluation.all()
    assert (first.evaluation.run, first.evaluation.part) == ("run-1", "test")
    served.wait(days=8)
    workspace.tick()
    assert len(workspace.evaluation.all()) == 1  # the first one is still under way
    measure(served, first.evaluation.id, "r1", tuned={"exact_match": 0.5})
    served.wait(minutes=2)
    workspace.tick()
    assert len(workspace.evaluation.all()) == 2
    assert workspace.reevaluation.state().every_days == 7

    # A new live run is measured at once, beside the one before it.
    measure(served, workspace.evaluation.all()[0].evaluation.id, "r1", tuned={"exact_match": 0.5})
    served.add_run("run-2", start_from_run="run-1")
    with workspace._database.write() as connection:
        versions.change(connection, "v1", state="standby", share=0.0, changed_at=served.now)
    served.serve("v2", "run:run-2")
    served.wait(minutes=2)
    workspace.tick()
    newest = workspace.evaluation.all()[0].evaluation
    assert (newest.run, newest.others) == ("run-2", ("run-1",))
    due = workspace.reevaluation.state().due_at
    assert due == newest.created_at + timedelta(days=7)
    workspace.reevaluation.choose(0)
    assert workspace.reevaluation.state().due_at is None


def test_a_refused_measurement_is_said_and_not_tried_each_minute(served: Served) -> None:
    workspace = served.workspace
    (workspace.folders.run("run-1") / "adapter" / "adapter_config.json").unlink()
    workspace.reevaluation.choose(1)
    workspace.tick()
    refused = workspace.reevaluation.state().refused
    assert refused is not None
    assert workspace.evaluation.all() == []
    write_json(workspace.folders.run("run-1") / "adapter" / "adapter_config.json", {})
    served.wait(minutes=5)
    workspace.tick()
    assert workspace.evaluation.all() == []
    served.wait(hours=7)
    workspace.tick()
    assert len(workspace.evaluation.all()) == 1
    assert workspace.reevaluation.state().refused is None


def test_generations_are_told_with_what_is_known_of_each(served: Served) -> None:
    workspace = served.workspace
    served.now = NOON
    served.add_run("run-2", start_from_run="run-1")
    served.wait(hours=1)
    served.serve("v2", "run:run-2", "canary")
    served.serve("v0", "base:smollm2-135m", "retired")
    served.serve("bad", "run:run-2", "refused")
    served.wait(hours=1)
    served.record(*(exchange(n, version="v2", at=served.now - timedelta(minutes=n)) for n in range(20)))
    for number in range(12):
        said = Feedback(thumb=-1 if number < 3 else 1, rating=4)
        workspace.traffic.feedback(f"req-{number}", "k", said)
    for run, others, report in (
        ("run-1", [], {"tuned": {"exact_match": 0.9}}),
        (
            "run-2",
            ["run-1"],
            {"tuned": {"exact_match": 0.7}, "others": {"run-1": {"metrics": {"exact_match": 0.6}}}},
        ),
        ("run-1", [], {"tuned": {"exact_match": 0.95}}),
    ):
        evaluation = workspace.evaluation.start(run, others=others)
        measure(served, evaluation.id, "same" if run == "run-2" else "other", **report)
        served.wait(seconds=1)
    told = {one.target: one for one in workspace.generations()}
    second, first, base = (told[name] for name in ("run:run-2", "run:run-1", "base:smollm2-135m"))
    assert (second.run, second.before, second.versions, second.state) == ("run-2", "run-1", ("v2",), "canary")
    assert (second.requests, second.thumbs_down.count, second.thumbs_down.of, second.rating) == (20, 3, 12, 4)
    assert (second.until, first.until, base.until is None, base.run) == (None, None, False, None)
    assert second.measured is not None
    assert first.measured is not None
    assert (second.measured.metrics, second.measured.rows_hash) == ({"exact_match": 0.7}, "same")
    assert first.measured.metrics in ({"exact_match": 0.6}, {"exact_match": 0.95})
    assert (base.measured, base.requests, base.thumbs_down.share) == (None, 0, None)
