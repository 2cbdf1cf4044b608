"""The tables and the raters' way on PostgreSQL, where it is installed."""

import random
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from ftkit.settings import Settings
from ftkit.store import tables
from ftkit.workspace import Workspace
from tests.contract.test_store import shape
from tests.postgres import postgres_server, postgres_url  # noqa: F401 - fixtures
from tests.studied import open_study, whole


def test_migrations_make_the_same_tables(tmp_path, postgres_url, postgres_server):  # noqa: F811 - as above
    settings = Settings.from_environment({"FTKIT_HOME": str(tmp_path), "FTKIT_DATABASE_URL": postgres_url})
    with Workspace(settings) as workspace:
        migrated = shape(workspace._database.engine)
    drawn = sa.create_engine(postgres_url)
    with drawn.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
        tables.metadata.create_all(connection)
    assert shape(drawn) == migrated
    drawn.dispose()


def test_raters_at_once_lose_nothing_and_double_nothing(tmp_path, postgres_url):  # noqa: F811 - as above
    """Two web processes, eight raters, every rating sent three times at once."""
    settings = Settings.from_environment({"FTKIT_HOME": str(tmp_path), "FTKIT_DATABASE_URL": postgres_url})
    with Workspace(settings) as one, Workspace(settings) as two:
        study, tokens = open_study(one, raters=8, prompts=12, overlap=3)

        def rate(token: str) -> int:
            chance, sent = random.Random(token), 0
            told = one.raters.task(token)
            with ThreadPoolExecutor(3) as pool:
                while told["state"] != "finished":
                    if told["state"] == "task":
                        values = whole(told, chance.randrange(2))
                        said = token, told["task"]["id"], str(uuid.uuid4()), values, 1.0
                        replies = [pool.submit(w.raters.submit, *said) for w in (one, two, one)]
                        assert {reply.result()["revision"] for reply in replies} == {1}
                        sent += 1
                    told = two.raters.task(token)
            return sent

        with ThreadPoolExecutor(8) as pool:
            sent = sum(pool.map(rate, tokens))
        rated = two.studies.rated(study)
        assert sent == len(rated) == 36
        assert set(Counter(line.item for line in rated).values()) == {3}
        assert max(Counter((line.item, line.rater) for line in rated).values()) == 1
        assert one.studies.verify(study) == (36, None)
        rater = one.studies.raters(study)[0].rater
        one.studies.revoke(study, rater)
        one.studies.close(study)
        one.studies.delete(study)
        assert one.studies.all() == []
