import pytest

from ftkit.errors import BadInput, Refused
from ftkit.evaluation.judge.address import base_url, stays_here
from ftkit.evaluation.judge.options import JudgeOptions
from ftkit.evaluation.judge.rubric import default_rubric


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (" https://api.example.com/v1/ ", "https://api.example.com/v1"),
        ("http://127.0.0.1:8000/v1/chat/completions", "http://127.0.0.1:8000/v1"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_base_url_is_taken(given: str, wanted: str) -> None:
    assert base_url(given) == wanted


@pytest.mark.parametrize(
    "given",
    [
        "file:///etc/passwd", "gopher://x/1", "dict://x:11211/", "ftp://x/", "//x/v1", "x/v1", "http://", "http:///v1", "https://?",
        "http://me:pass@x/v1", "http://evil@127.0.0.1/v1", "http://x/v1?to=y", "http://x/v1#y", "http://x\\@y/v1", "http://x/ v1",
        "http://x/v1\r\nHost: y", "http://x:99999/v1", "http://[::1/v1", "http://169.254.169.254/latest", "http://0.0.0.0:1/",
        "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/", "http://100.100.100.200/", "http://[fe80::1]/", "",
    ],
)  # fmt: skip
def test_anything_else_is_refused(given: str) -> None:
    with pytest.raises(BadInput) as seen:
        base_url(given)
    assert "pass@" not in str(seen.value)


def test_a_dashboard_that_others_can_reach_asks_no_private_address() -> None:
    for endpoint in ("http://localhost:1/v1", "http://127.0.0.1/v1", "http://10.1.2.3/v1", "http://[::1]/"):
        with pytest.raises(Refused, match="on this machine or its own network"):
            JudgeOptions.parse(model="m", endpoint=endpoint, private=False)
        assert JudgeOptions.parse(model="m", endpoint=endpoint, private=True).endpoint
    assert JudgeOptions.parse(model="m", endpoint="https://api.example.com", private=False).endpoint


@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "PATH", "sk-abcdefghijkl", "FTKIT_TOKEN"]
)
def test_only_the_name_of_a_judges_key_is_taken(name: str) -> None:
    with pytest.raises(BadInput) as seen:
        JudgeOptions.parse(model="m", endpoint="http://x/v1", key_env=name)
    assert "abcdefghijkl" not in str(seen.value)


def test_options_are_checked() -> None:
    assert JudgeOptions.parse(model="m", language="tr").rubric == default_rubric("tr")
    assert (
        JudgeOptions.parse(model="m", endpoint="http://x", key_env="OPENAI_API_KEY").key_env
        == "OPENAI_API_KEY"
    )
    for wrong in (
        {"model": " "},
        {"model": "m", "rows": 0},
        {"model": "m", "language": "de"},
        {"model": "m", "rubric": "x" * 9000},
    ):
        with pytest.raises(BadInput):
            JudgeOptions.parse(**wrong)


def test_what_stays_on_this_machine() -> None:
    assert stays_here("http://localhost:8000/v1")
    assert not stays_here("http://10.0.0.1/v1")
