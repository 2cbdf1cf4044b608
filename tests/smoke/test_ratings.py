"""From a study of base and SFT model to a DPO model on top of the SFT adapter, on the bundled model and by the command line."""

import json
import shlex
from typing import Any

import pytest

from ftkit.cli.main import main
from ftkit.workspace import FIRST_SAMPLE, Workspace
from tests.studied import rate_all

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(1800)]
PROMPTS, STEPS = 24, 12


def prefers_json(told: dict[str, Any]) -> dict[str, Any]:
    """A rater by a stated rule: an answer that is nothing but a JSON object is better; of two alike, the shorter one."""
    texts = [text.strip() for text in told["task"]["answers"]]
    best = min(
        range(2), key=lambda n: (not (texts[n].startswith("{") and texts[n].endswith("}")), len(texts[n]))
    )
    return {"choice": best}


def test_ratings_teach_the_fine_tuned_model(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTKIT_HOME", str(workspace.settings.home))

    def ftkit(*words: object) -> dict[str, Any]:
        capsys.readouterr()
        code = main([*map(str, words), "--json"])
        told = capsys.readouterr()
        assert code == 0, told.err
        value: dict[str, Any] = json.loads(told.out)
        return value

    dataset = workspace.data.import_sample(FIRST_SAMPLE).id
    split = ftkit("data", "split", dataset, "--ratios", "0.6,0.3,0.1")["split"]
    quick = [f"max_steps={STEPS}", f"eval_steps={STEPS}", "warmup_steps=2", "sample_prompts=0"]
    changes = [part for one in quick for part in ("--set", one)]
    run = ftkit("train", "smollm2-135m/sft-lora", "--split", split, *changes)["run"]
    made = ftkit(
        *("ratings", "new", run, "--prompts", f"{split}:validation", "--rows", PROMPTS, "--overlap", 2),
        *("--max-new-tokens", 60, "--open"),
    )
    study = made["study"]
    assert made["items"] + made["left_out"].get("identical_answers", 0) == PROMPTS
    for invite in ftkit("ratings", "invite", study, "Ada", "Bo")["invites"]:
        assert rate_all(workspace, invite["link"].rpartition("/")[2], prefers_json) == made["items"]
    ftkit("ratings", "close", study)
    preferred = ftkit("ratings", "to-preferences", study)
    assert preferred["counts"]["rows_validation"] > 1
    assert f"start_from_run={run}" in preferred["train"]
    trained = ftkit(*shlex.split(preferred["train"])[1:], "--set", "sample_prompts=0")
    curves = workspace.training.curves(trained["run"])
    margins = [point["eval_reward_margin"] for point in curves if "eval_reward_margin" in point]
    print(json.dumps({"counts": preferred["counts"], "margins": margins, "metrics": trained["metrics"]}))
    assert margins[-1] > 0
    assert trained["metrics"]["eval_reward_margin"] > 0
    assert workspace.next_study(trained["run"]).sides == (
        f"base:{made['sides'][0].removeprefix('base:')}",
        f"run:{run}",
        f"run:{trained['run']}",
    )
