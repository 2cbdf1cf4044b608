"""A gateway alone on a free port, in front of an engine without a model."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import openai
import pytest

from ftkit.errors import NotFound
from ftkit.monitoring.traffic.exchange import Exchange, Feedback
from ftkit.server.gateway.app import alone
from ftkit.server.gateway.service import Gateway, Limits, Services
from ftkit.serving.engines.asking import Source
from ftkit.serving.keys.service import KeyService
from ftkit.serving.versions.means import Means
from ftkit.serving.versions.service import ServingService
from ftkit.store.engine import Database
from ftkit.workspace import random_id
from tests.unit.server.conftest import serving as served
from tests.unit.serving.parrot import Parrot


class Log:
    """Keeps what the gateway tells."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.said: list[tuple[str, str, Feedback]] = []
        self._lock = threading.Lock()

    def record(self, exchange: Exchange) -> None:
        with self._lock:
            self.exchanges.append(exchange)

    def feedback(self, request_id: str, key: str, said: Feedback) -> bool:
        if all(exchange.id != request_id for exchange in self.exchanges):
            raise NotFound("test.no_request", "There is no such request. Check its id.")
        self.said.append((request_id, key, said))
        return True

    def wait_for(self, count: int) -> list[Exchange]:
        deadline = time.monotonic() + 10
        while len(self.exchanges) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.exchanges) == count
        return self.exchanges


class Place(NamedTuple):
    """A gateway that is served."""

    url: str
    gateway: Gateway
    keys: KeyService
    serving: ServingService
    parrot: Parrot
    log: Log

    def client(self, secret: str) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=secret, max_retries=0)

    def deploy(self, target: str) -> str:
        version = self.serving.wait(self.serving.deploy(target).id, 10)
        assert version.state == "live"
        return version.id


def make_place(tmp_path, limits: Limits | None = None):
    """A gateway that is not served yet, with its database."""

    def clock() -> datetime:
        return datetime.now(UTC)

    database = Database(f"sqlite:///{tmp_path / 'ftkit.sqlite'}", clock)
    parrot, log = Parrot(), Log()
    keys = KeyService(database, clock, random_id)
    means = Means(lambda target: Source(target.partition(":")[2]), lambda _: [], lambda: {"resident": parrot})
    serving = ServingService(database, means, clock, random_id)
    services = Services(keys, serving, lambda: {"resident": parrot}, log.record, log.feedback, clock)
    return database, Place("", Gateway(services, limits), keys, serving, parrot, log)


@pytest.fixture
def limits():
    return None


@pytest.fixture
def place(tmp_path, limits) -> Iterator[Place]:
    database, made = make_place(tmp_path, limits)
    with served(alone(made.gateway)) as url:
        yield made._replace(url=url)
    made.serving.close()
    database.close()


@pytest.fixture
def secret(place) -> str:
    return place.keys.create("tests", requests_per_minute=None).secret


@pytest.fixture
def client(place, secret) -> Iterator[openai.OpenAI]:
    with place.client(secret) as client:
        yield client


@pytest.fixture
def http(place, secret) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=place.url, headers=headers, trust_env=False, timeout=30) as client:
        yield client
