"""Results through the real store: live, kept until something changes, as files, and beside metrics and the judge."""

import csv
import io
import json
import uuid
from collections.abc import Iterator

import pytest

from ftkit.errors import BadInput, NotFound
from ftkit.ratings.results.selecting import ResultOptions
from ftkit.ratings.studies.options import Prompt, Source
from ftkit.records import Evaluation, Job, Judgement, Run
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.store.jobs import JobTable
from ftkit.workspace import Workspace
from tests.finished_run import NOW
from tests.judged import judged_row
from tests.studied import SIDES, make_study, open_study, whole

RUN = SIDES[1].removeprefix("run:")
PAYLOAD = "=cmd|'/c calc'!A0"


@pytest.fixture
def workspace(tmp_path) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(tmp_path)})) as workspace:
        yield workspace


def rate_all(workspace: Workspace, token: str, **extra: object) -> None:
    """Everything that there is for a rater; the second answer of the item is the better one, wherever it stands."""
    told = workspace.raters.task(token)
    while told["state"] == "task":
        better = next(n for n, text in enumerate(told["task"]["answers"]) if text.startswith("Answer 1"))
        values = {**whole(told, better), **extra}
        told = workspace.raters.submit(token, told["task"]["id"], str(uuid.uuid4()), values, 9.0)["next"]


def test_results_are_live(workspace: Workspace) -> None:
    study, tokens = open_study(workspace, raters=2, prompts=12, overlap=2)
    empty = workspace.results.results(study)
    assert (empty["headline"]["kind"], empty["state"], empty["wanted"]) == ("none", "open", 24)
    rate_all(workspace, tokens[0])
    half = workspace.results.results(study)
    assert (half["ratings"], half["open_items"], half["complete"]) == (12, 12, 0)
    rate_all(workspace, tokens[1])
    found = workspace.results.results(study)
    json.dumps(found, allow_nan=False)
    assert (found["ratings"], found["open_items"], found["complete"]) == (24, 0, 12)
    headline = found["headline"]
    assert (headline["first"], headline["value"], headline["verdict"]) == (SIDES[1], 1, "first")
    assert set(found["names"].values()) == {"Rater 0", "Rater 1"}
    assert found["labels"] == {side: side.partition(":")[2] for side in SIDES}
    assert found["agreement"][0]["trust"] == "undefined", "all say the same"


def test_results_are_kept_until_something_changes(workspace: Workspace) -> None:
    study, tokens = open_study(workspace, raters=2, prompts=4, overlap=2)
    rate_all(workspace, tokens[0])
    first = workspace.results.results(study)
    assert workspace.results.results(study) is first
    assert workspace.results.results(study, ResultOptions(without_flagged=False)) is not first
    rate_all(workspace, tokens[1])
    both = workspace.results.results(study)
    assert both["ratings"] == 8
    one = next(one for one in workspace.studies.raters(study) if one.name == "Rater 0")
    workspace.studies.revoke(study, one.rater)
    assert workspace.results.results(study)["left_out"]["revoked"] == 4


def test_prompts_with_several_pairs_are_one_cluster(workspace: Workspace) -> None:
    sides = (*SIDES, "run:third0000000")
    study, [token] = open_study(
        workspace, prompts=3, overlap=1, sides=sides, said=lambda n, side: f"Answer {sides.index(side)} {n}"
    )
    told = workspace.raters.task(token)
    while told["state"] == "task":
        task = told["task"]["id"]
        told = workspace.raters.submit(token, task, str(uuid.uuid4()), whole(told), 9.0)["next"]
    found = workspace.results.results(study)
    assert (found["items"], found["prompts"], len(found["pairs"])) == (9, 3, 3)


def test_a_file_for_each_format(workspace: Workspace) -> None:
    study, [token] = open_study(
        workspace, prompts=2, overlap=1, said=lambda n, side: f"Answer {SIDES.index(side)} {PAYLOAD}"
    )
    rate_all(workspace, token, comment=PAYLOAD, edits={"0": "ünder\r\n"})
    lines = [
        json.loads(line) for line in b"".join(workspace.results.export(study, "jsonl").pieces).splitlines()
    ]
    assert len(lines) == 2
    for line in lines:
        assert line["comment"] == PAYLOAD
        assert line["preferred"] == SIDES[1]
        assert line["edits"] in ({"0": "ünder\r\n"}, {"1": "ünder\r\n"})
        assert (line["left_out"], line["revision"], len(line["hash"])) == (None, 1, 64)
        assert line["answers"] == [f"Answer {n} {PAYLOAD}" for n in (0, 1)]
    made = workspace.results.export(study, "csv")
    table = list(csv.DictReader(io.StringIO(b"".join(made.pieces).decode("utf-8-sig"))))
    assert [row["comment"] for row in table] == [f"'{PAYLOAD}"] * 2
    assert not [cell for row in table for cell in row.values() if cell.startswith("=")]
    assert made.filename.endswith("-ratings.csv")


def test_what_is_not_there_is_said(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        workspace.results.results("nothing")
    with pytest.raises(NotFound):
        workspace.results.export("nothing", "csv")
    study = make_study(workspace)
    with pytest.raises(BadInput, match="csv, jsonl"):
        workspace.results.export(study, "parquet")


def done(workspace: Workspace, kind: str, record: Evaluation | Judgement) -> None:
    job = Job(
        id=f"job-{record.id}",
        kind=kind,
        lane="judge",
        artefact=record.id,
        state="done",
        nonce="n",
        queued_at=NOW,
    )
    JobTable(workspace._database).add(job, record)


def evaluated(workspace: Workspace, rows: int) -> None:
    """A finished evaluation of the run, whose metric prefers tuned on odd rows, and a judge who always does."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    workspace.artefacts.add(
        Run(id=RUN, name="First", created_at=NOW, recipe="a/b", split="s1", model="smollm2-135m", spec={})
    )
    folder = workspace.folders.evaluation("eval1")
    folder.mkdir(parents=True)
    samples = [judged_row(row, base_exact_match=float(row % 2 == 0)) for row in range(rows)]
    pq.write_table(pa.Table.from_pylist(samples), folder / "samples.parquet")
    write_json(folder / "report.json", {"rows": rows, "signature": {"rows_content": "x"}})
    done(
        workspace,
        "evaluate",
        Evaluation(id="eval1", name="E", created_at=NOW, content_hash="e", run=RUN, split="s1", part="test"),
    )
    judged = workspace.folders.judgement("judge1")
    options = {"model": "critic", "endpoint": "", "rubric": "", "language": "en", "max_tokens": 10}
    inputs = {"options": options, "rows": list(range(rows)), "left_out": 0, "evaluation_id": "eval1"}
    write_json(judged / "inputs.json", inputs)
    lines = [
        {"row": row, "order": order, "choice": choice}
        for row in range(rows)
        for order, choice in (("base_first", "B"), ("tuned_first", "A"))
    ]
    (judged / "verdicts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done(
        workspace,
        "judge",
        Judgement(
            id="judge1", name="J", created_at=NOW, content_hash="j", evaluation="eval1", judge="critic"
        ),
    )


def prompts(rows: int) -> list[Prompt]:
    return [Prompt(messages=({"role": "user", "content": f"Prompt {row}"},), row=row) for row in range(rows)]


def test_people_beside_the_judge_and_the_metrics(workspace: Workspace) -> None:
    evaluated(workspace, 10)
    study, [token] = open_study(
        workspace, told=prompts(10), overlap=1, source=Source(split="s1", part="test")
    )
    rate_all(workspace, token)
    compared = workspace.results.results(study)["compared"]
    assert [(one["kind"], one["name"], one["rows"], one["share"]) for one in compared] == [
        ("judge", "critic", 10, 1.0),
        ("metric", "exact_match", 10, 0.5),
    ]


def test_other_rows_are_not_compared(workspace: Workspace) -> None:
    evaluated(workspace, 10)
    for source in (Source(), Source(split="s1", part="validation"), Source(split="s2", part="test")):
        study, [token] = open_study(workspace, told=prompts(4), overlap=1, source=source)
        rate_all(workspace, token)
        assert workspace.results.results(study)["compared"] == []


def test_the_report_of_the_run_tells_it(workspace: Workspace) -> None:
    evaluated(workspace, 10)
    (workspace.folders.evaluation("eval1") / "report.json").unlink()  # the report needs a whole one
    assert "What people said" not in workspace.report(RUN)
    study, [token] = open_study(
        workspace, told=prompts(10), overlap=1, source=Source(split="s1", part="test")
    )
    rate_all(workspace, token)
    page = workspace.report(RUN)
    assert "What people said" in page
    assert "First wins 100% of 10 comparisons with smollm2-135m, 95% interval" in page
    assert "which is not closed yet" in page
    workspace.studies.close(study)
    assert "which is not closed yet" not in workspace.report(RUN)
    turkish = workspace.report(RUN, "tr")
    assert "İnsanlar ne dedi" in turkish
    assert "First, smollm2-135m ile 10 karşılaştırmada %100 oranında kazanıyor" in turkish
