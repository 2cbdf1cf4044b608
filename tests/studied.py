"""Rating studies without a model: the answers lie where the worker would have written them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ftkit.ratings.studies.options import Prompt, Source, StudyOptions
from ftkit.records import Job, Study
from ftkit.store.files import write_json
from ftkit.store.jobs import JobTable
from ftkit.workspace import Workspace

SIDES = ("base:smollm2-135m", "run:ab12cd34ef56")


def make_study(
    workspace: Workspace,
    prompts: int = 3,
    said: Callable[[int, str], str] = lambda prompt, side: f"Answer {SIDES.index(side)} to prompt {prompt}.",
    gold: int = 0,
    told: Sequence[Prompt] = (),
    source: Source | None = None,
    **options: Any,
) -> str:
    """A study that waits to be opened, with one item per prompt (or per pair of models); gives its id."""
    id_ = workspace.studies._new_id()
    asked = StudyOptions.parse({"sides": SIDES, "gold": gold, **options})
    told = told or [
        Prompt(messages=({"role": "user", "content": f"Prompt {n}"},), reference=f"The right answer to {n}")
        for n in range(prompts)
    ]
    record = Study(
        id=id_,
        name=f"Study {id_}",
        created_at=datetime.now(UTC),
        protocol=asked.protocol,
        sides=asked.sides,
        options=asked.model_dump(mode="json"),
        **(source or Source()).model_dump(),
    )
    job = Job(
        id=f"job-{id_}",
        kind="study",
        lane="compute",
        artefact=id_,
        state="done",
        nonce="n",
        queued_at=record.created_at,
    )
    folder = workspace.folders.study(id_)
    write_json(folder / "prompts.json", [one.model_dump(mode="json") for one in told])
    lines = [
        {"prompt": n, "side": side, "text": said(n, side), "tokens": 5, "cut": False}
        for n in range(len(told))
        for side in asked.sides
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    JobTable(workspace._database).add(job, record)
    assert workspace.studies.get(id_).state == "ready"
    return id_


def open_study(workspace: Workspace, raters: int = 1, **study: Any) -> tuple[str, list[str]]:
    """An open study; gives its id and the tokens of its raters."""
    id_ = make_study(workspace, **study)
    workspace.studies.open(id_)
    invites = workspace.studies.invite(id_, [f"Rater {n}" for n in range(raters)])
    return id_, [one.token for one in invites]


def whole(told: Mapping[str, Any], better: int = 0) -> dict[str, Any]:
    """Values that rate the task of a reply, whatever its protocol; ``better`` is counted as on the page."""
    study, answers = told["study"], told["task"]["answers"]
    places = range(len(answers))
    if study["protocol"] == "pairs":
        return {"choice": better}
    if study["protocol"] == "scales":
        return {"scores": [dict.fromkeys(study["criteria"], 5 if n == better else 2) for n in places]}
    if study["protocol"] == "ranking":
        return {"ranks": [1 if n == better else 2 for n in places]}
    return {"passed": [n == better for n in places]}


def rate_all(
    workspace: Workspace, token: str, say: Callable[[dict[str, Any]], dict[str, Any]], most: int = 10_000
) -> int:
    """A rater who rates every task they get; ``say`` makes values of what the page was told. Gives how many."""
    done = 0
    told = workspace.raters.task(token)
    while told["state"] == "task" and done < most:
        sent = workspace.raters.submit(token, told["task"]["id"], uuid4().hex, say(told), 5.0)
        told, done = sent["next"], done + 1
    return done


def places(order: Sequence[int], answer: int) -> int:
    """Where an answer stood on the page."""
    return list(order).index(answer)
