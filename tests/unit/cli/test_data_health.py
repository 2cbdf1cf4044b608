"""``ftkit data check``: one object, the same report again, a page, and one sentence for a mistake."""

import json

import pytest

from tests.planted import plant, sample_rows


@pytest.fixture
def dataset(ftkit, tmp_path):
    file = tmp_path / "rows.json"
    file.write_text(json.dumps(plant(sample_rows(120), ("question", "answer")).rows), encoding="utf-8")
    return ftkit("data", "import", file, "--json").json["dataset"]


def test_the_report_is_one_object_and_a_page(ftkit, dataset, tmp_path):
    page = tmp_path / "out" / "report.html"
    done = ftkit("data", "check", dataset, "--out", page, "--language", "tr", "--json")
    value = done.json
    found = {one["kind"]: one for one in value["findings"]}
    assert (done.code, value["dataset"], value["rows"]) == (0, dataset, value["exact"]["copies"] + 120 + 10)
    assert (found["exact_copy"]["count"], found["exact_copy"]["step"]) == (50, "drop_exact_duplicates")
    assert value["report"] == str(page)
    assert "Birebir kopyalar" in page.read_text("utf-8")
    shown = ftkit("data", "check", dataset)
    assert "Exact copies" in shown.out
    assert "drop_exact_duplicates" in shown.out
    assert ftkit("data", "check", dataset, "--json").json["check"] == value["check"]


def test_personal_data_is_not_looked_for_where_it_is_not_asked(ftkit, dataset):
    value = ftkit("data", "check", dataset, "--no-personal", "--json").json
    assert value["personal"] is None
    assert not any(one["kind"].startswith("personal") for one in value["findings"])


def test_a_mistake_is_one_sentence(ftkit, dataset):
    done = ftkit("data", "check", "nothing")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert ftkit("data", "check", dataset, "--model", "nowhere").code == 2
