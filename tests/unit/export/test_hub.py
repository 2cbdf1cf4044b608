import pytest

from ftkit.errors import BadInput, Refused
from ftkit.export.hub import check_hub
from ftkit.export.options import ExportOptions


def test_a_push_that_cannot_work_is_refused_before_anything_is_built() -> None:
    check_hub(offline=False, token=True)
    for offline, token, key in ((True, True, "export.hub_offline"), (False, False, "export.hub_unset")):
        with pytest.raises(Refused) as raised:
            check_hub(offline=offline, token=token)
        assert raised.value.key == key


@pytest.mark.parametrize(
    "repo", ["../x", "a/b/c", "https://huggingface.co/a/b", "-x", "a b", "a/", "ş/x", "x" * 97]
)
def test_only_names_of_repositories_are_taken(repo: str) -> None:
    with pytest.raises(BadInput) as raised:
        ExportOptions(target="hub", repo=repo)
    assert raised.value.key == "export.bad_repo"


@pytest.mark.parametrize("repo", ["mine", "some-body/My.model_2"])
def test_names_are_taken_as_they_are(repo: str) -> None:
    assert ExportOptions(target="hub", repo=repo).private
