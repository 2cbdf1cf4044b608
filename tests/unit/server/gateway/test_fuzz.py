"""Schemathesis asks the gateway whatever its description allows, and what it does not: no fault, no answer that is not described."""

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode

from ftkit.server.gateway.app import alone
from tests.unit.server.gateway.conftest import make_place


@pytest.fixture
def gateway(tmp_path):
    database, place = make_place(tmp_path)
    place.deploy("run:a")
    yield place
    database.close()


def fuzz(place, cases: int) -> Counter[int]:
    """So many cases of each operation, half of them as described and half of them not; gives how often each status came."""
    secret = place.keys.create("fuzz", requests_per_minute=None).secret
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", alone(place.gateway))
    statuses: Counter[int] = Counter()

    def ask(case: Case) -> None:
        if isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
            case.body["model"] = "ftkit"  # else nearly every case ends at an unknown model
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})
        statuses[answer.status_code] += 1
        assert answer.status_code < 500
        assert answer.headers["x-request-id"]

    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            asking = given(case=operation.as_strategy(generation_mode=mode))(ask)
            settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck))(asking)()
    return statuses


def test_some_cases(gateway) -> None:
    statuses = fuzz(gateway, 10)
    assert statuses[200] >= 10
    assert statuses[422] >= 10


@pytest.mark.faults
@pytest.mark.timeout(3000)
def test_thousands_of_cases(gateway) -> None:
    statuses = fuzz(gateway, 400)
    print(f"\n{statuses.total()} cases: {dict(sorted(statuses.items()))}")
    assert statuses.total() >= 2000
    assert statuses[200] >= 200
