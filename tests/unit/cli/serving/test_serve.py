"""``ftkit keys`` and ``ftkit serving`` over a data folder of their own, and ``ftkit serve`` as a process with a tiny model."""

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from ftkit.cli.session import open_workspace
from tests.ending import end_workers
from tests.tiny import make_tiny_model


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
        (["serving", "deploy", "http://127.0.0.1:1/v1", "--engine", "upstream"], "serving.bad_address"),
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


@pytest.mark.training
@pytest.mark.timeout(300)
def test_a_model_is_served_alone_without_torch_and_gradio(home, ftkit) -> None:
    make_tiny_model(home / "models" / "tiny")
    heavy = "torch|gradio|transformers|scipy|sklearn|presidio_analyzer"
    told = f"import sys; print(sorted(set(sys.modules) & set('{heavy}'.split('|'))), file=sys.stderr)"
    code = f"from ftkit.cli.main import main; code = main(); {told}; sys.exit(code)"
    arguments = ["serve", "tiny", "--port", "0", "--anyway", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "FTKIT_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        text = ""
        while line := process.stdout.readline():
            text += line
            if line.startswith("}"):
                break
        served = json.loads(text)
        headers = {"authorization": f"Bearer {served['key']}"}
        with httpx.Client(base_url=served["base_url"], headers=headers, trust_env=False, timeout=60) as http:
            wish = {"messages": [{"role": "user", "content": "my parcel is late"}], "max_tokens": 5}
            answer = http.post("/chat/completions", json=wish).json()
            assert answer["model"] == served["version"]
            assert answer["usage"]["completion_tokens"] <= 5
            # Another process switches, and this one follows.
            assert ftkit("serving", "stop", "--json").json["live"] is None
            assert http.post("/chat/completions", json=wish).status_code == 503
            assert ftkit("serving", "rollback", "--json").json["id"] == served["version"]
            assert http.post("/chat/completions", json=wish).status_code == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
        assert errors.splitlines()[-1] == "[]"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        with open_workspace() as workspace:
            end_workers(workspace)
