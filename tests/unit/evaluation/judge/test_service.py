"""The judge through real worker processes and a real HTTP server."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ftkit.errors import FtkitError, NotFound, Refused
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.evaluation.judge.service import JudgementView, JudgeService
from ftkit.records import Judgement
from tests.finished_run import Room, SleepingLauncher, open_room
from tests.judge_server import JudgeServer, judge_server
from tests.judged import EVALUATION, add_evaluation, judged_row

KEY = "sk-canary-4711-do-not-write-me-down"


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    monkeypatch.setenv("FTKIT_JUDGE_KEY", KEY)
    with open_room(tmp_path / "home") as room:
        yield room


def service(room: Room, **environment: str) -> JudgeService:
    known = {"FTKIT_JUDGE_KEY": KEY, **environment}
    return JudgeService(room.artefacts, room.folders, room.jobs, known, room.clock, room.new_id)


def options(judge: JudgeServer, **values: Any) -> JudgeOptions:
    return JudgeOptions.parse(model="fake", endpoint=judge.url, private=True, **{"seconds": 10, **values})


def judged(room: Room, judge: JudgeServer, rows: int = 10, **values: Any) -> JudgementView:
    add_evaluation(room.artefacts, room.folders, [judged_row(row) for row in range(rows)])
    judge_service = service(room)
    return judge_service.wait(judge_service.start(EVALUATION, options(judge, **values)).id)


def error_of(view: JudgementView) -> FtkitError:
    assert view.job.state == "failed"
    return FtkitError.from_dict(view.job.error)


def test_failures_lower_the_coverage_and_retry_completes_it(room: Room) -> None:
    ills = {"question 2.": "timeout", "question 5.": "error", "question 8.": "prose"}
    with judge_server(
        ail=lambda question, _: next((ill for row, ill in ills.items() if row in question), None)
    ) as judge:
        view = judged(room, judge, seconds=1, attempts=2, at_once=8)
        assert (view.job.state, view.report["coverage"], view.missing) == ("done", 0.7, 3)
        assert view.report["failures"] == {"timeout": 2, "server_error": 2, "malformed": 2}
        assert view.report["outcomes"]["tuned"] == view.report["decided"] == 7
        assert view.report["win_rate"]["value"] == 1.0
        assert [row["row"] for row in service(room).rows(view.judgement.id) if row["outcome"] is None] == [
            2,
            5,
            8,
        ]
        judge.ail, before = None, len(judge.asked)
        service(room).retry(view.judgement.id)
        view = service(room).wait(view.judgement.id)
        asked_again = judge.questions[before:]
    assert len(asked_again) == 6
    assert all(any(row in question for row in ills) for question in asked_again)
    assert (view.report["coverage"], view.report["failures"], view.report["decided"]) == (1.0, {}, 10)
    assert view.report["agreement"]["metrics"]["exact_match"]["rows"] == 5
    with pytest.raises(Refused, match="nothing to ask again"):
        service(room).retry(view.judgement.id)
    assert service(room).agreement(view.judgement.id, {0: "tuned", 1: "base", 99: "tie"}).share == 0.5


def test_a_judge_that_looks_only_at_the_place_is_unmasked(room: Room) -> None:
    with judge_server(choose=lambda *_: "A") as judge:
        view = judged(room, judge)
    assert view.report["position"] == {"rows": 10, "first": 10, "second": 0, "rate": 1.0}
    assert view.report["outcomes"] == {"tuned": 0, "base": 0, "tie": 0, "inconsistent": 10, "same_answers": 0}
    assert (view.report["win_rate"], view.report["coverage"]) == (None, 1.0)
    assert (
        view.report["agreement"]["orders"]["kappa"] == -0.0
        or view.report["agreement"]["orders"]["share"] == 0.0
    )


def test_the_key_is_sent_and_written_nowhere(room: Room) -> None:
    with judge_server(ail=lambda *_: "echo") as judge:
        view = judged(room, judge, rows=3, key_env="FTKIT_JUDGE_KEY")
        assert {headers["Authorization"] for _, _, headers in judge.asked} == {f"Bearer {KEY}"}
        assert {headers["Host"] for _, _, headers in judge.asked} == {judge.url[7:-3]}
        assert view.report["judged"] == 3
        judge.ail = lambda *_: "bad_key"
        other = service(room).start(EVALUATION, options(judge, key_env="FTKIT_JUDGE_KEY", language="tr"))
        said = error_of(service(room).wait(other.id))
    assert said.key == "judge.not_allowed"
    files = [path for path in room.home.rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []
    lines = (room.folders.judgement(view.judgement.id) / "verdicts.jsonl").read_text()
    assert "You sent Bearer ***" in lines


def test_a_key_that_is_not_there_is_said_before_anything_starts(room: Room) -> None:
    add_evaluation(room.artefacts, room.folders, [judged_row(0)])
    asked = JudgeOptions.parse(
        model="m", endpoint="http://127.0.0.1:9/v1", private=True, key_env="OTHER_API_KEY"
    )
    with pytest.raises(Refused, match="OTHER_API_KEY"):
        service(room).start(EVALUATION, asked)
    assert room.artefacts.all(Judgement) == []


def test_a_pause_that_is_asked_for_is_kept_by_all(room: Room) -> None:
    with judge_server(ail=lambda _, before: "busy" if not before else None) as judge:
        view = judged(room, judge, rows=2)
        times = sorted(time for time, _, _ in judge.asked)
    assert view.report["coverage"] == 1.0
    assert len(times) == 8
    assert times[4] - times[3] >= 0.95, "nobody asked while the pause lasted"


def test_a_judge_that_wants_hours_of_rest_is_not_waited_for(room: Room) -> None:
    with judge_server(ail=lambda *_: "busy_for_hours") as judge:
        view = judged(room, judge, rows=2)
        assert len(judge.asked) == 4
    assert view.report["failures"] == {"rate_limited": 4}


def test_strange_answers_are_bounded_and_counted(room: Room) -> None:
    ills = {"question 0.": "drip", "question 1.": "huge", "question 2.": "no_json", "question 3.": "refusal"}
    with judge_server(
        ail=lambda question, _: next(ill for row, ill in ills.items() if row in question)
    ) as judge:
        view = judged(room, judge, rows=4, seconds=2, attempts=1)
    assert view.report["failures"] == {"timeout": 2, "malformed": 4, "refused": 2}
    assert view.report["coverage"] == 0.0
    size = sum(path.stat().st_size for path in room.folders.judgement(view.judgement.id).iterdir())
    assert size < 50_000


@pytest.mark.parametrize(
    ("ill", "key"),
    [("moved", "judge.redirected"), ("unknown", "judge.unknown_model"), ("bad_key", "judge.not_allowed")],
)
def test_what_would_meet_every_row_ends_the_job_with_a_sentence(room: Room, ill: str, key: str) -> None:
    with judge_server(ail=lambda *_: ill) as judge:
        assert error_of(judged(room, judge, rows=4, at_once=1)).key == key
        assert len(judge.asked) == 1


def test_nobody_at_the_address_is_said_once(room: Room) -> None:
    with judge_server() as judge:
        pass
    view = judged(room, judge, rows=40, attempts=1)
    assert error_of(view).key == "judge.unreachable"
    assert view.report["failures"]["unreachable"] < 20


def test_a_name_that_leads_home_is_not_asked_for_others(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name passes the first look, which knows only literal addresses; the worker looks where it leads."""
    add_evaluation(room.artefacts, room.folders, [judged_row(0)])
    with judge_server() as judge:
        port = judge.url.split(":")[2]
        for name in ("2130706433", "0x7f.1"):
            asked = JudgeOptions.parse(model="m", endpoint=f"http://{name}:{port}", private=False, rows=1)
            view = service(room).wait(service(room).start(EVALUATION, asked).id)
            assert error_of(view).key == "judge.private_address"
        assert judge.asked == []


def test_newer_models_are_asked_by_the_names_that_they_want(room: Room) -> None:
    with judge_server(ail=lambda *_: "new_names") as judge:
        view = judged(room, judge, rows=3)
        assert "max_completion_tokens" in judge.asked[-1][1]
    assert view.report["coverage"] == 1.0


def test_equal_answers_and_rows_without_an_answer_cost_nothing(room: Room) -> None:
    rows = [
        judged_row(0),
        judged_row(1, tuned_answer="bad 1 "),
        judged_row(2, base_answer=None, tuned_answer=None),
    ]
    add_evaluation(room.artefacts, room.folders, rows)
    with judge_server() as judge:
        view = service(room).wait(service(room).start(EVALUATION, options(judge)).id)
        assert len(judge.asked) == 2
    assert (view.report["rows"], view.report["left_out"], view.report["coverage"]) == (2, 1, 1.0)
    assert view.report["outcomes"] == {"tuned": 1, "base": 0, "tie": 1, "inconsistent": 0, "same_answers": 1}
    assert view.report["tokens"] == {"calls": 2, "calls_with_usage": 2, "prompt": 200, "completion": 20}


def test_no_more_is_sent_than_was_allowed(room: Room) -> None:
    with judge_server() as judge:
        view = judged(room, judge, rows=10, most_tokens=2500, at_once=1)
        assert 0 < len(judge.asked) < 20
    assert view.report["failures"]["over_cap"] == 20 - len(judge.asked)


def test_a_row_that_is_too_long_is_not_sent(room: Room) -> None:
    add_evaluation(room.artefacts, room.folders, [judged_row(0, prompt="x" * 200_000), judged_row(1)])
    with judge_server() as judge:
        view = service(room).wait(service(room).start(EVALUATION, options(judge)).id)
        assert len(judge.asked) == 2
    assert view.report["failures"] == {"too_long": 2}


def test_a_killed_judge_loses_no_verdict(room: Room) -> None:
    add_evaluation(room.artefacts, room.folders, [judged_row(row) for row in range(12)])
    with judge_server(ail=lambda question, _: "timeout" if "question 9." in question else None) as judge:
        made = service(room).start(EVALUATION, options(judge, at_once=1))
        file = room.folders.judgement(made.id) / "verdicts.jsonl"
        _until(room, lambda: file.exists() and file.read_text().count("\n") >= 18)
        pid = json.loads((file.parent / "worker.json").read_text())["pid"]
        os.kill(pid, signal.SIGKILL)
        _until(room, lambda: service(room).get(made.id).job.state == "lost")
        judge.ail, before = None, len(judge.asked)
        assert service(room).get(made.id).report["judged"] == 9
        service(room).retry(made.id)
        view = service(room).wait(made.id)
        assert len(judge.asked) - before == 6
    assert view.report["coverage"] == 1.0


def test_a_stop_keeps_what_is_there(room: Room) -> None:
    with judge_server(ail=lambda question, _: "timeout" if "question 3." in question else None) as judge:
        add_evaluation(room.artefacts, room.folders, [judged_row(row) for row in range(6)])
        made = service(room).start(EVALUATION, options(judge, at_once=1))
        _until(room, lambda: len(judge.asked) > 6)
        begun = time.monotonic()
        service(room).stop(made.id)
        view = service(room).wait(made.id)
        assert time.monotonic() - begun < 10
    assert (view.job.state, view.report["judged"]) == ("stopped", 3)
    service(room).delete(made.id)
    with pytest.raises(NotFound):
        service(room).get(made.id)
    assert not room.folders.judgement(made.id).exists()


def test_a_second_click_joins_and_a_part_of_the_rows_is_the_same_each_time(tmp_path: Path) -> None:
    with open_room(tmp_path / "home", SleepingLauncher()) as room:
        add_evaluation(room.artefacts, room.folders, [judged_row(row) for row in range(50)])
        asked = JudgeOptions.parse(model="m", endpoint="https://example.com/v1", rows=7)
        first = service(room).start(EVALUATION, asked)
        assert service(room).start(EVALUATION, asked) == first
        other = service(room).start(EVALUATION, asked.model_copy(update={"rubric": "Another."}))
        assert other.id != first.id
        rows = [
            json.loads((room.folders.judgement(one.id) / "inputs.json").read_text())["rows"]
            for one in (first, other)
        ]
        assert rows[0] == rows[1] == sorted(rows[0])
        assert len(set(rows[0])) == 7
        with pytest.raises(Refused, match="Wait for its end"):
            service(room).retry(first.id)
        with pytest.raises(NotFound):
            service(room).start(EVALUATION, JudgeOptions.parse(model="absent"))
        assert first.parents == (EVALUATION,)
        assert [one.job.lane for one in service(room).all(EVALUATION)] == ["judge", "judge"]


def _until(room: Room, seen: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline
        room.jobs.tick()
        time.sleep(0.05)
