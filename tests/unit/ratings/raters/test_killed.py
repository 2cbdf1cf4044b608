"""A process that takes ratings is killed again and again: what it acknowledged is stored, once, and the history is whole."""

import gc
import itertools
import json
import os
import random
import signal
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ftkit.ratings.raters.service import RaterService
from ftkit.settings import Settings
from ftkit.store.engine import Database
from ftkit.workspace import Workspace, random_id, utc_now
from tests.studied import open_study


def take_ratings(raters: RaterService, token: str, seed: int, out: int) -> None:
    """Rate for ever, everything twice, now and then an edit; a line for all that was acknowledged."""
    chance = random.Random(seed)
    told = raters.task(token)
    for number in itertools.count():
        if told["task"] is None:
            told = raters.shown(token, raters.mine(token)[number]["id"])
        submission, choice = str(uuid.UUID(int=chance.getrandbits(128))), chance.randrange(2)
        task = told["task"]["id"]
        for _ in range(2):
            reply = raters.submit(token, task, submission, {"choice": choice}, 1.0)
            line = {"task": task, "submission": submission, "revision": reply["revision"]}
            os.write(out, json.dumps(line).encode() + b"\n")
        if number % 3:
            told = reply["next"]


def killed_writer(raters: RaterService, token: str, seed: int, seconds: float) -> list[dict]:
    """What a writer acknowledged until it was killed."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            take_ratings(raters, token, seed, write)
        finally:
            os._exit(70)
    os.close(write)
    text = os.read(read, 1)  # it has begun
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as rest:
        text += rest.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    # The last line may be torn: whoever reads it was told nothing yet.
    return [json.loads(line) for line in text.split(b"\n")[:-1]]


@contextmanager
def warm_raters(url: str, token: str) -> Iterator[RaterService]:
    """A service whose statements are made already: a forked writer takes its first rating at once. It holds no connection."""
    database = Database(url, check=False)
    raters = RaterService(database, utc_now, random_id)
    for _ in range(2):
        task = raters.task(token)["task"]["id"]
        for choice in (0, 1):
            raters.submit(token, task, uuid.uuid4().hex, {"choice": choice}, 1.0)
    database.engine.dispose()  # no connection of SQLite may go through a fork
    gc.collect()
    gc.freeze()
    yield raters
    gc.unfreeze()
    database.close()


def kill_again_and_again(home, kills: int) -> int:
    """Gives how many ratings were acknowledged, after everything was compared."""
    settings = Settings.from_environment({"FTKIT_HOME": str(home)})
    with Workspace(settings) as workspace:
        study, tokens = open_study(workspace, raters=8, prompts=400, overlap=8)
    chance, acknowledged = random.Random(5), []
    with warm_raters(settings.store_url, tokens[0]) as raters:
        for number in range(kills):
            acknowledged += killed_writer(raters, tokens[number % 8], number, chance.uniform(0, 0.03))
    with Workspace(settings) as workspace:
        history = {line["submission"]: line for line in workspace.studies.history(study)}
        rated = workspace.studies.rated(study)
        view, verified = workspace.studies.get(study), workspace.studies.verify(study)
    for said in acknowledged:
        line = history[said["submission"]]
        assert (line["assignment"], line["revision"]) == (said["task"], said["revision"])
    assert verified == (len(history), None)
    assert max(Counter((one.item, one.rater) for one in rated).values()) == 1
    assert view.ratings == len(rated)
    with sqlite3.connect(home / "ftkit.sqlite") as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("SELECT sum(rated) FROM rating_items").fetchone() == (len(rated),)
    raw.close()
    return len(acknowledged)


def test_what_was_acknowledged_outlives_a_hundred_kills(tmp_path):
    assert kill_again_and_again(tmp_path, 100) >= 100


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_what_was_acknowledged_outlives_a_thousand_kills(tmp_path):
    print(kill_again_and_again(tmp_path, 1000), "acknowledged")
