"""Schemathesis asks the gateway whatever its description allows, and what it does not: no fault, no answer that is not described."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from tests.unit.server.gateway.conftest import Place, make_place


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    database, place = make_place(tmp_path_factory.mktemp("fuzzed"))
    place.deploy("run:a")
    yield place
    database.close()


def _schema(place: Place):
    from ftkit.server.gateway.app import alone

    return schemathesis.openapi.from_asgi("/v1/openapi.json", alone(place.gateway))


@pytest.fixture(scope="module")
def few(fuzzed):
    return _schema(fuzzed)


@pytest.fixture(scope="module")
def secret(fuzzed) -> str:
    return fuzzed.keys.create("fuzz", requests_per_minute=None).secret


_LAZY = schemathesis.pytest.from_fixture("few")
_QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck)}
counted = {"cases": 0, "answered": 0}


def _ask(case: Case, secret: str) -> None:
    if isinstance(case.body, dict) and isinstance(case.body.get("model"), str):
        case.body["model"] = "ftkit"  # else nearly every case ends at an unknown model
    response = case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})
    counted["cases"] += 1
    counted["answered"] += response.status_code == 200
    assert response.status_code < 500
    assert response.headers["x-request-id"]


@_LAZY.parametrize()
@settings(max_examples=15, **_QUICK)
def test_some_cases(case: Case, secret: str) -> None:
    _ask(case, secret)


@pytest.mark.faults
@pytest.mark.timeout(3000)
@_LAZY.parametrize()
@settings(max_examples=600, **_QUICK)
def test_thousands_of_cases(case: Case, secret: str) -> None:
    _ask(case, secret)


@pytest.mark.faults
def test_they_were_thousands() -> None:
    assert counted["cases"] >= 2000
    assert counted["answered"] >= 200
