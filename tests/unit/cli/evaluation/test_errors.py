import pytest

from tests.triage import add_triage
from tests.unit.cli.test_loop import documented


@pytest.fixture
def evaluations(home):
    home.mkdir(parents=True)
    return add_triage(home)


def test_errors_are_shown_tagged_and_sent(ftkit, evaluations):
    id_ = evaluations["validation"]
    shown = ftkit("errors", id_, "--kind", "regressions", "--limit", 2, "--json").json
    assert set(shown) | set(shown["rows"][0]) | set(shown["slices"][0]) == documented("errors show")
    assert shown["matching"] == shown["outcomes"]["regression"] > 2
    assert {row["outcome"] for row in shown["rows"]} == {"regression"}
    assert len(shown["rows"]) == 2
    first, second = (row["row"] for row in shown["rows"])

    assert ftkit("errors", "tag", id_, first, "my own", "--json").json == {
        "evaluation": id_, "row": first, "tags": ["my own"],
    }  # fmt: skip
    ftkit("errors", "tag", id_, second, "my own")
    assert ftkit("errors", "tag", id_, second, "my own", "--remove", "--json").json["tags"] == []
    tagged = ftkit("errors", "show", id_, "--tag", "my own", "--slice", "column:channel=mail", "--json").json
    assert tagged["matching"] in (0, 1)

    sent = ftkit("errors", "send", id_, "--tag", "my own", "--name", "Next", "--json")
    assert set(sent.json) == documented("errors send")
    assert (sent.json["rows"], sent.json["name"]) == (1, "Next")
    assert id_ in sent.json["parents"]
    assert "regression" in ftkit("errors", id_).out

    test = evaluations["test"]
    refused = ftkit("errors", "send", test, "--row", 0, "--json")
    assert (refused.code, refused.json["error"]["key"]) == (2, "collecting.test_rows")
    assert ftkit("errors", "send", test, "--row", 0, "--use-test-rows", "--json").json["rows"] == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["send", "e1"], "which rows"),
        (["e1", "--slice", "language"], "NAME=VALUE"),
        (["e1", "--kind", "odd"], "kind cannot be"),
        (["e1"], "no evaluation"),
    ],
)
def test_mistakes_are_told_in_a_sentence(ftkit, arguments, says):
    outcome = ftkit("errors", *arguments)
    assert outcome.code == 2
    assert says in outcome.err
