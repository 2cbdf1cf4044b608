"""Schemathesis asks the gateway whatever its description allows, and what it does not: no fault, no answer that is not described."""

from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from ftkit.server.gateway.app import alone
from tests.unit.server.gateway.conftest import make_place

# A text within its limit may be longer than a body may be, once each of its characters is escaped.
_TOO_LARGE = {"expected-statuses": [200, 401, 403, 404, 413]}
_REFUSED = {"expected-statuses": [400, 401, 403, 404, 405, 413, 422]}
_CONFIG = schemathesis.Config.from_dict(
    {"checks": {"positive_data_acceptance": _TOO_LARGE, "negative_data_rejection": _REFUSED}}
)


@pytest.fixture
def gateway(tmp_path):
    database, place = make_place(tmp_path)
    place.deploy("run:a")
    yield place
    database.close()


def fuzz(place, cases: int) -> Counter[int]:
    """So many cases of each operation, half of them as described and half of them not; gives how often each status came."""
    secret = place.keys.create("fuzz", requests_per_minute=None).secret
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", alone(place.gateway), config=_CONFIG)
    statuses: Counter[int] = Counter()

    def ask(case: Case, named: bool) -> None:
        if named and isinstance(case.body, dict) and "model" in case.body:
            case.body["model"] = "ftkit"  # else nearly every case ends at an unknown model
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})
        statuses[answer.status_code] += 1
        assert answer.status_code < 500
        assert answer.headers["x-request-id"]

    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:
            named = st.just(mode is GenerationMode.POSITIVE)
            asking = given(case=operation.as_strategy(generation_mode=mode), named=named)(ask)
            settings(max_examples=cases, deadline=None, suppress_health_check=list(HealthCheck))(asking)()
    return statuses


def test_some_cases(gateway) -> None:
    statuses = fuzz(gateway, 15)
    assert statuses[200] >= 10
    assert statuses[422] >= 10


@pytest.mark.faults
@pytest.mark.timeout(3000)
def test_thousands_of_cases(gateway) -> None:
    statuses = fuzz(gateway, 400)
    print(f"\n{statuses.total()} cases: {dict(sorted(statuses.items()))}")
    assert statuses.total() >= 2000
    assert statuses[200] >= 200
