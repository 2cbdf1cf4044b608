"""Many raters at once over HTTP, everything sent twice or three times, the server killed in between: nothing lost, nothing double."""

import signal
import sqlite3
import time
from collections import Counter

import pytest

from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.crowd import Crowd, killing
from tests.postgres import postgres_server, postgres_url  # noqa: F401 - fixtures
from tests.served import Served
from tests.studied import open_study

SENT_AT_LEAST = 2


def gather(home, raters: int, items: int, kills: int, url: str = "") -> dict[str, object]:
    """Let a crowd rate all items; gives what came of it, after everything was compared."""
    environment = {"FTKIT_DATABASE_URL": url} if url else {}
    settings = Settings.from_environment({"FTKIT_HOME": str(home), **environment})
    with Workspace(settings) as workspace:
        study, tokens = open_study(workspace, raters=raters, prompts=items, overlap=raters)
    server = Served(home, **environment)
    server.start()
    crowd, wanted, begun = Crowd(server.port), raters * items, time.monotonic()

    def kill() -> None:
        server.end(signal.SIGKILL)
        server.start()

    moments = [(n + 1) / (kills + 1) * wanted * SENT_AT_LEAST for n in range(kills)]
    watch = killing(kill, moments, lambda: len(crowd.acknowledged))
    try:
        crowd.rate_all(tokens)
        watch.join(timeout=60)
    finally:
        server.end()
    seconds = time.monotonic() - begun
    with Workspace(settings) as workspace:
        compare(workspace, study, crowd, wanted)
    if not url:
        with sqlite3.connect(home / "ftkit.sqlite") as raw:
            assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        raw.close()
    waits = sorted(crowd.waits)
    return {
        "ratings": wanted,
        "answered requests": crowd.sent,
        "broken requests": crowd.broken,
        "kills": kills,
        "seconds": round(seconds, 1),
        "median ms": round(1000 * waits[len(waits) // 2], 1),
        "p99 ms": round(1000 * waits[int(len(waits) * 0.99)], 1),
    }


def compare(workspace, study, crowd, wanted) -> None:
    """What the server acknowledged is stored, once, as it was said."""
    assert crowd.errors == []
    items = {item.id: item for item in workspace.studies.items(study)}
    history = {line["submission"]: line for line in workspace.studies.history(study)}
    for said in crowd.acknowledged:
        line = history[said.submission]
        assert (line["assignment"], line["revision"]) == (said.task, said.revision)
        assert items[line["item"]].answers[line["values"]["choice"]].text == said.answer
    rated = workspace.studies.rated(study)
    assert len(rated) == wanted == len(history), "every submission is one line, every line a submission"
    assert Counter((one.item, one.rater) for one in rated).most_common(1)[0][1] == 1
    view = workspace.studies.get(study)
    assert (view.ratings, view.complete) == (wanted, view.items)
    assert workspace.studies.verify(study) == (wanted, None)
    assert len(crowd.acknowledged) >= SENT_AT_LEAST * wanted


def test_a_crowd_loses_nothing_while_the_server_is_killed(tmp_path):
    told = gather(tmp_path, raters=8, items=25, kills=1)
    assert told["broken requests"] > 0, "the kill was not felt"


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_thirty_two_raters_with_a_thousand_ratings_each_lose_nothing(tmp_path):
    print(gather(tmp_path, raters=32, items=1000, kills=6))


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_thirty_two_raters_on_postgresql_lose_nothing(tmp_path, postgres_url):  # noqa: F811 - as above
    print(gather(tmp_path, raters=32, items=1000, kills=3, url=postgres_url))
