from pathlib import Path

import pytest

from ftkit.training.checks.hub import hub_refusals
from ftkit.training.spec import RunSpec

SPEC = RunSpec(push_to_hub=True, hub_model_id="org/model")


def keys(home: Path, spec: RunSpec = SPEC, **environment: str) -> list[str]:
    found = hub_refusals(spec, {"HOME": str(home), **environment})
    return [error.key.removeprefix("training.hub_") for error in found]


def test_an_upload_needs_the_network_and_a_token(tmp_path: Path) -> None:
    assert keys(tmp_path) == ["no_token"]
    assert keys(tmp_path, HF_TOKEN="hf_x") == []
    assert keys(tmp_path, HF_TOKEN="hf_x", HF_HUB_OFFLINE="1") == ["offline"]
    assert keys(tmp_path, RunSpec(), HF_HUB_OFFLINE="1") == []


def test_the_token_of_a_login_counts(tmp_path: Path) -> None:
    file = tmp_path / ".cache" / "huggingface" / "token"
    file.parent.mkdir(parents=True)
    file.write_text("hf_x")
    assert keys(tmp_path) == []
    assert keys(tmp_path, HF_HOME=str(tmp_path / "elsewhere")) == ["no_token"]


@pytest.mark.parametrize("name", ["model", "org/model", "My-Org/model_1.2"])
def test_names_of_repositories(name: str) -> None:
    assert RunSpec(push_to_hub=True, hub_model_id=name).hub_model_id == name


@pytest.mark.parametrize("name", ["", "a b", "a/b/c", "-a", "org/a--b", "a..b", "a.git", "../x", "ö", "org/"])
def test_what_is_no_name_of_a_repository(name: str) -> None:
    with pytest.raises(ValueError, match="hub_model_id"):
        RunSpec(push_to_hub=True, hub_model_id=name)
