"""A data folder with a finished run of a tiny model in it, and people who rate, for tests of the ratings page."""

import json
import os
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ftkit.ratings.studies.views import Invite
from ftkit.records import Job, Run
from ftkit.settings import Settings
from ftkit.store.jobs import JobTable
from ftkit.training.spec import RunSpec
from ftkit.workspace import Workspace
from tests.tiny import make_tiny_adapter, make_tiny_model

MODEL, RUN = "tiny", "first"
NOW = datetime(2026, 11, 26, tzinfo=UTC)
SIDES = (f"base:{MODEL}", f"run:{RUN}")
_ADAPTER = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}


_PLACES = ["kitchen", "garden", "cellar", "attic", "harbour", "bakery", "library", "station"]
_THINGS = ["kettle", "ladder", "lantern", "compass", "violin", "basket", "hammer", "mirror"]
_ROWS = [
    {
        "question": f"Where is the {thing} of the {place}?",
        "answer": f"The {thing} is in the {place}, on shelf {n * 7 + m}.",
    }
    for n, thing in enumerate(_THINGS)
    for m, place in enumerate(_PLACES)
]


def opened(home: Path) -> Workspace:
    """A workspace over the folder; tiny models are slower on several threads than on one."""
    return Workspace(
        Settings.from_environment({**os.environ, "FTKIT_HOME": str(home), "OMP_NUM_THREADS": "1"})
    )


def add_finished_run(workspace: Workspace, name: str = "First try") -> str:
    """A tiny model, a split of some rows, and an SFT run as its worker would have left it; gives the split's id."""
    make_tiny_model(workspace.folders.model(MODEL))
    file = workspace.settings.home / "tickets.json"
    file.write_text(json.dumps(_ROWS), encoding="utf-8")
    split = workspace.splits.split(workspace.data.import_file(file, "Tickets").id)
    make_tiny_adapter(workspace.folders.model(MODEL), workspace.folders.run(RUN) / "adapter")
    spec = RunSpec.parse({"model_name_or_path": MODEL, "max_length": 128, **_ADAPTER})
    run = Run(
        id=RUN, name=name, created_at=NOW, parents=(split.id, MODEL), recipe="smollm2-135m/sft-lora", split=split.id,
        model=MODEL, spec=spec.model_dump(mode="json"), seed=42,
    )  # fmt: skip
    workspace.artefacts.add(run)
    job = Job(
        id="job-first", kind="train", lane="compute", artefact=RUN, state="done", nonce="n", queued_at=NOW
    )
    JobTable(workspace._database).add(job)
    return split.id


def rate_all(
    workspace: Workspace, study: str, invites: Sequence[Invite], *, better: str = SIDES[1], seed: int = 7
) -> int:
    """All raters prefer the answers of one model nine times in ten; gives the number of ratings."""
    liked = {
        answer.text
        for item in workspace.studies.items(study)
        for answer in item.answers
        if answer.side == better
    }
    draw = random.Random(seed)
    count = 0
    for invite in invites:
        while (told := workspace.raters.task(invite.token))["state"] == "task":
            task = told["task"]
            right = next((n for n, text in enumerate(task["answers"]) if text in liked), 0)
            choice = right if draw.random() < 0.9 else 1 - right
            workspace.raters.submit(
                invite.token, task["id"], str(uuid.UUID(int=draw.getrandbits(128))), {"choice": choice}, 20.0
            )
            count += 1
    return count
