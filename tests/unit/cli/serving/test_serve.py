"""``ftkit keys`` and ``ftkit serving`` over a data folder of their own, and ``ftkit serve`` as a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ftkit.server.gateway.app import alone
from tests.unit.server.conftest import serving
from tests.unit.server.gateway.conftest import make_place


def test_a_key_is_made_listed_and_revoked(ftkit) -> None:
    made = ftkit("keys", "create", "bot", "--tokens-per-day", 5000, "--expires", "2199-01-31", "--json").json
    assert made["key"].startswith("ftk_")
    assert (made["tokens_per_day"], made["requests_per_minute"]) == (5000, 60)
    listed = ftkit("keys", "list", "--json")
    assert made["key"] not in listed.out
    assert [key["id"] for key in listed.json["keys"]] == [made["id"]]
    assert ftkit("keys", "revoke", made["id"], "--json").json["state"] == "revoked"
    assert "revoked" in ftkit("keys", "list").out


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["keys", "create", "x", "--scopes", "everything"], "keys.bad_scope"),
        (["keys", "create", "x", "--expires", "tomorrow"], "cli.bad_time"),
        (["keys", "revoke", "nothing"], "keys.no_key"),
        (["serving", "deploy", "nothing"], "serving.no_target"),
        (
            ["serving", "deploy", "upstream:http://127.0.0.1:1/v1", "--engine", "upstream"],
            "serving.bad_address",
        ),
        (["serving", "rollback"], "serving.no_standby"),
        (["serving", "promote"], "serving.no_canary"),
        (["serving", "canary", "x", "--share", "2"], "serving.no_target"),
        (["serve"], "cli.nothing_to_serve"),
    ],
)
def test_what_cannot_be_done_says_why(ftkit, arguments, key) -> None:
    outcome = ftkit(*arguments, *(["--port", "0"] if arguments == ["serve"] else []), "--json")
    assert outcome.code == 2
    assert outcome.json["error"]["key"] == key


def test_nothing_is_live_at_first(ftkit) -> None:
    assert ftkit("serving", "status", "--json").json["live"] is None
    assert "ftkit serving deploy" in ftkit("serving", "status").out


@pytest.fixture
def upstream(tmp_path_factory):
    """Another server: the same gateway in this process, over an engine without a model; gives its target and a key of it."""
    database, place = make_place(tmp_path_factory.mktemp("upstream"))
    with serving(alone(place.gateway)) as url:
        place.deploy("run:other")
        yield f"upstream:{url}/v1|ftkit", place.keys.create("next", requests_per_minute=None).secret
    database.close()


@contextmanager
def served(home: Path, upstream_key: str, *arguments: str) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """``ftkit serve`` in a process of its own: what it says, and afterwards which heavy modules it had imported."""
    heavy = "torch|gradio|transformers|scipy|sklearn|presidio_analyzer"
    told = f"import sys; print(sorted(set(sys.modules) & set('{heavy}'.split('|'))), file=sys.stderr)"
    process = subprocess.Popen(
        [sys.executable, "-c", f"from ftkit.cli.main import main; code = main(); {told}; sys.exit(code)"]
        + ["serve", *arguments, "--port", "0", "--json"],
        env={**os.environ, "FTKIT_HOME": str(home), "FTKIT_UPSTREAM_KEY": upstream_key},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    imported: list[str] = []
    try:
        lines: list[str] = []
        while not lines or (lines[-1] and not lines[-1].startswith("}")):
            lines.append(process.stdout.readline())
        told = json.loads("".join(lines))
        assert "error" not in told, told
        yield told, imported
        process.send_signal(signal.SIGINT)
        imported.append(process.communicate(timeout=30)[1].splitlines()[-1])
    finally:
        process.kill()
        process.communicate()


def test_a_model_is_served_alone_without_torch_and_gradio(home, ftkit, upstream) -> None:
    target, key = upstream
    with served(home, key, target, "--engine", "upstream") as (told, imported):
        headers = {"authorization": f"Bearer {told['key']}"}
        with httpx.Client(base_url=told["base_url"], headers=headers, trust_env=False, timeout=60) as http:
            wish = {"messages": [{"role": "user", "content": "my parcel is late"}]}
            answer = http.post("/chat/completions", json=wish).json()
            assert answer["choices"][0]["message"]["content"] == "other: my parcel is late"
            assert answer["model"] == told["version"]
            # Another process switches, and this one follows.
            assert ftkit("serving", "stop", "--json").json["live"] is None
            assert http.post("/chat/completions", json=wish).status_code == 503
            assert ftkit("serving", "rollback", "--json").json["id"] == told["version"]
            assert http.post("/chat/completions", json=wish).status_code == 200
    assert imported == ["[]"]
    # Next time it is live already, and there is a key.
    with served(home, key) as (told, _):
        assert (told["label"], told["key"]) == ("ftkit", None)
