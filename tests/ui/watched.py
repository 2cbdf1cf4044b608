"""A served model that people have asked for a day, for tests and pictures of the monitor page: first what it learned, then something else."""

import random
from collections.abc import Sequence
from datetime import timedelta

from ftkit.monitoring.traffic.exchange import Exchange, Feedback
from ftkit.monitoring.traffic.kept import TrafficSettings
from ftkit.store.serving import versions as stored
from ftkit.store.serving.versions import VersionLine
from ftkit.workspace import Workspace, utc_now

KEY = "key-1"
FAR = (
    "Do I need a visa for Portugal?",
    "My passport has expired, can I still travel to Lisbon?",
    "How long is a passport valid for a visa?",
    "Which embassy gives a visa for two weeks?",
)


def serve(workspace: Workspace, target: str, label: str) -> str:
    """A version that is live; gives its id. It has passed no test: nobody asks it here."""
    now = utc_now()
    line = VersionLine(
        id=f"v-{target.rpartition(':')[2]}", target=target, label=label, engine="resident", state="live", share=0.0,
        smoke=None, created_at=now, changed_at=now,
    )  # fmt: skip
    with workspace._database.write() as connection:
        stored.add(connection, line)
        stored.note(connection, now, "live", line.id, "owner")
    return line.id


def ask(
    workspace: Workspace, version: str, questions: Sequence[str], hours: float = 24.0, seed: int = 3
) -> list[str]:
    """One request for each question, spread over the hours before now; gives their ids. Some fail, some are praised."""
    workspace.traffic.choose(TrafficSettings(keep_texts=True))
    draw, now = random.Random(seed), utc_now()
    ids = [f"req-{seed}-{place}" for place in range(len(questions))]
    for place, (id_, question) in enumerate(zip(ids, questions, strict=True)):
        failed = place % 17 == 11
        workspace.traffic.record(
            Exchange(
                id=id_, at=now - timedelta(hours=hours * (1 - place / len(questions))), version=version, key=KEY,
                kind="chat", status=500 if failed else 200, error="engine.failed" if failed else "", streamed=place % 2 == 0,
                prompt_tokens=draw.randint(8, 60), answer_tokens=0 if failed else draw.randint(10, 120),
                first_token_seconds=draw.uniform(0.1, 0.5), seconds=draw.lognormvariate(0.4, 0.5),
                finish="" if failed else "stop", confidence=None if failed else draw.uniform(0.5, 0.95),
                messages=({"role": "user", "content": question},), answer="" if failed else f"Here is what I know of it: {place}.",
            )
        )  # fmt: skip
    workspace.traffic.flush()
    return ids


def judge(workspace: Workspace, ids: Sequence[str]) -> None:
    """Every third answer gets a thumb, every fourth of these a bad one with the right answer."""
    for place, id_ in enumerate(ids[::3]):
        bad = place % 4 == 0
        workspace.traffic.feedback(
            id_,
            KEY,
            Feedback(thumb=-1 if bad else 1, correction="Ask at the embassy first." if bad else None),
        )
    workspace.traffic.flush()
