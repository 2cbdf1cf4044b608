"""From an SFT run to a DPO run by the command line: a tiny random model, real workers, raters who prefer by a rule."""

import json
import shlex
from typing import Any

import pytest

from ftkit.cli.session import open_workspace
from tests.ending import end_workers
from tests.studied import rate_all
from tests.tiny import make_tiny_model
from tests.unit.cli.test_loop import documented

RECIPE = "smollm2-135m/sft-lora"
SETTINGS = {
    "model_name_or_path": "tiny",
    "max_steps": 3,
    "eval_steps": 3,
    "learning_rate": 0.01,
    "sample_prompts": 0,
}
QUICK = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
STATES = {"study", "name", "state", "items", "ratings", "wanted"}

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.timeout(400),
]


@pytest.fixture
def workers_end(home):
    yield
    with open_workspace() as workspace:
        end_workers(workspace)


def shorter(told: dict[str, Any]) -> dict[str, Any]:
    lengths = [len(text) for text in told["task"]["answers"]]
    return {"choice": lengths.index(min(lengths)) if len(set(lengths)) > 1 else "tie"}


def make_split(ftkit, folder) -> str:
    words = ("parcel", "kettle", "mixer", "account", "invoice", "voucher", "lid", "cable")
    rows = [
        {"user": f"{words[n % 8]} {words[n // 8]} {n}", "assistant": f"{words[n // 8]} late"}
        for n in range(48)
    ]
    file = folder / "tickets.json"
    file.write_text(json.dumps(rows))
    dataset = ftkit("data", "import", file, "--json").json["dataset"]
    return ftkit("data", "split", dataset, "--ratios", "0.5,0.5,0", "--json").json["split"]


@pytest.mark.usefixtures("workers_end")
def test_from_a_run_to_a_run_that_raters_taught(ftkit, home, tmp_path) -> None:
    make_tiny_model(home / "models" / "tiny")
    split = make_split(ftkit, tmp_path)
    run = ftkit("train", RECIPE, "--split", split, *QUICK, "--json").json["run"]
    study = begin(ftkit, run, split, tmp_path)
    rate_it(ftkit, study)
    look_at_it(ftkit, study, tmp_path)
    made = ftkit("ratings", "to-preferences", study, "--json")
    assert made.code == 0, made.err
    assert set(made.json) == documented("ratings to-preferences")
    counts = made.json["counts"]
    assert counts["items"] == counts["items_used"] + counts["tie"] + counts["identical"] + counts["empty"]
    assert counts["ratings_used"] == 2 * counts["items"]
    train_on_it(ftkit, made.json, run)
    assert ftkit("ratings", "delete", study).code == 2, "a dataset was made from it"


def begin(ftkit, run, split, tmp_path) -> str:
    guide = tmp_path / "guide.txt"
    guide.write_text("Choose the shorter one.")
    wanted = ["--prompts", split, "--rows", "8", "--overlap", "2", "--gold", "2", "--max-new-tokens", "8"]
    made = ftkit("ratings", "new", run, *wanted, "--guidelines", guide, "--temperature", "0.9", "--json")
    assert made.code == 0, made.err
    assert "Answering: " in made.err
    value = made.json
    assert set(value) == documented("ratings new")
    assert (value["state"], value["part"], value["sides"]) == (
        "ready",
        "validation",
        ["base:tiny", f"run:{run}"],
    )
    assert value["answered"] == value["answers_wanted"] == 2 * (value["answered"] // 2)
    assert (
        value["items"] - value["gold"] + value["left_out"].get("identical_answers", 0)
        == value["answered"] // 2
    )
    listed = ftkit("ratings", "list", "--json").json["studies"]
    assert [one["study"] for one in listed] == [value["study"]]
    return str(value["study"])


def rate_it(ftkit, study) -> None:
    assert ftkit("ratings", "close", study).code == 2
    early = ftkit("ratings", "invite", study, "Ada", "--address", "https://rate.example/", "--json")
    assert "raters can begin once it is open" in early.err
    assert ftkit("ratings", "open", study, "--json").json["state"] == "open"
    more = ftkit("ratings", "invite", study, "Bo", "Cy", "--json").json["invites"]
    invites = [*early.json["invites"], *more]
    assert invites[0]["link"].startswith("https://rate.example/invite/")
    assert invites[1]["link"].startswith("http://127.0.0.1:7860/invite/")
    assert ftkit("ratings", "revoke", study, invites[2]["rater"], "--json").json["revoked"]
    tokens = [one["link"].rpartition("/")[2] for one in invites[:2]]
    with open_workspace() as workspace:
        assert all(rate_all(workspace, token, shorter) for token in tokens)
    shown = ftkit("ratings", "show", study, "--json").json
    assert set(shown) == documented("ratings show") | documented("ratings new")
    assert {one["name"] for one in shown["people"]} == {"Ada", "Bo", "Cy"}
    assert shown["ratings"] == shown["wanted"] + 2 * shown["gold"]
    open_yet = ftkit("ratings", "to-preferences", study)
    assert (open_yet.code, "Close it first" in open_yet.err) == (2, True)
    assert ftkit("ratings", "close", study, "--json").json["state"] == "closed"
    verified = ftkit("ratings", "verify", study, "--json").json
    assert (verified["changes"], verified["first_broken"]) == (shown["ratings"], None)


def look_at_it(ftkit, study, folder) -> None:
    told = ftkit("ratings", "summary", study, "--json")
    assert set(told.json) == documented("ratings summary")
    assert told.json["left_out"]["gold"] == 4
    assert "is preferred to" in ftkit("ratings", "summary", study).out
    for to in ("csv", "jsonl"):
        file = folder / f"all.{to}"
        assert ftkit("ratings", "export", study, "--to", to, "--out", file, "--json").json["file"] == str(
            file
        )
    assert len(file.read_text().splitlines()) == told.json["ratings"] + 4
    assert ftkit("ratings", "export", study, "--to", "xml").code == 2


def train_on_it(ftkit, made, run) -> None:
    words = shlex.split(made["train"])
    assert words[:3] == ["ftkit", "train", "smollm2-135m/dpo-lora"]
    assert f"start_from_run={run}" in words
    assert "model_name_or_path=tiny" in words
    trained = ftkit(*words[1:], "--json")
    assert trained.code == 0, trained.err
    metrics = trained.json["metrics"]
    assert "eval_reward_margin" in metrics
    lineage = ftkit("runs", "show", trained.json["run"], "--json").json["parents"]
    assert run in lineage
    with open_workspace() as workspace:
        following = workspace.next_study(trained.json["run"])
        names = {kind for kind, *_ in workspace.artefacts.lineage(trained.json["run"])}
    assert following.sides == ("base:tiny", f"run:{run}", f"run:{trained.json['run']}")
    assert following.part == "validation"
    assert names >= {"run", "split", "dataset", "study"}


def test_what_is_missing_is_said(ftkit, tmp_path) -> None:
    assert ftkit("ratings", "list").out.startswith("No studies yet")
    none = ftkit("ratings", "new", "base:tiny", "base:other")
    assert (none.code, "Choose one" in none.err) == (2, True)
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert "is empty" in ftkit("ratings", "new", "base:a", "base:b", "--texts", empty).err
    assert "cannot be read" in ftkit("ratings", "new", "base:a", "base:b", "--texts", tmp_path / "no").err
    assert ftkit("ratings", "new", "everything").code == 2
    assert "Give names" in ftkit("ratings", "invite", "nobody").err
    assert ftkit("ratings", "show", "nobody").code == 2
    assert ftkit("ratings", "to-preferences", "nobody", "--agreement", "2").code == 2
