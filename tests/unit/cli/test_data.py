import json
import re

import pytest

ROWS = [{"question": f"What is {n} and {n}?", "answer": f"It is {2 * n}."} for n in range(20)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sums.jsonl"
    lines = [json.dumps(row) for row in ROWS]
    path.write_text("\n".join([*lines[:3], "{not json", *lines[3:]]) + "\n")
    return path


@pytest.fixture
def dataset(ftkit, file) -> str:
    return ftkit("data", "import", file, "--json").json["dataset"]


def test_import_says_what_was_read_and_what_was_skipped(ftkit, file):
    seen = ftkit("data", "import", file, "--name", "Sums", "--json")
    assert (seen.code, seen.err) == (0, "")
    assert seen.json["name"] == "Sums"
    assert (seen.json["rows"], seen.json["columns"]) == (20, ["question", "answer"])
    assert [item["line"] for item in seen.json["skipped"]] == [4]
    assert seen.json["skipped"][0]["reason"]
    assert sorted(seen.json["mapping"].values()) == ["answer", "question"]
    shown = ftkit("data", "import", file).out
    assert "Skipped: 1" in shown
    assert re.search(r"^4 +\w", shown, re.MULTILINE)


def test_a_file_that_is_not_there_or_empty_is_a_mistake(ftkit, tmp_path):
    assert ftkit("data", "import", tmp_path / "none.csv").code == 2
    (tmp_path / "empty.csv").write_text("")
    seen = ftkit("data", "import", tmp_path / "empty.csv", "--json")
    assert seen.code == 2
    assert seen.json["error"]["text"]
    assert "Traceback" not in seen.err


def test_lists_and_shows(ftkit, dataset):
    split = ftkit("data", "split", dataset, "--json").json["split"]
    seen = ftkit("data", "list", "--json").json
    assert [item["dataset"] for item in seen["datasets"]] == [dataset]
    assert [item["split"] for item in seen["splits"]] == [split]
    shown = ftkit("data", "show", dataset, "--offset", "3", "--limit", "2", "--json").json
    assert shown["examples"] == ROWS[3:5]
    assert [item["split"] for item in shown["splits"]] == [split]
    assert all(text in ftkit("data", "list").out for text in (dataset, split))
    assert "What is 3 and 3?" in ftkit("data", "show", dataset, "--offset", "3").out


def test_an_empty_list_says_what_to_do(ftkit):
    assert "ftkit data import FILE" in ftkit("data", "list").out
    assert ftkit("data", "list", "--json").json == {"datasets": [], "splits": []}


def test_what_is_not_there_is_a_mistake(ftkit):
    for arguments in (["show", "nothing"], ["split", "nothing"], ["format", "../../etc"]):
        seen = ftkit("data", *arguments, "--json")
        assert (seen.code, "error" in seen.json) == (2, True)


def test_roles_can_be_changed_and_the_old_dataset_stays(ftkit, dataset):
    before = ftkit("data", "format", dataset, "--json").json
    assert before["dataset"] == dataset
    assert before["conversation"][-1] == {"role": "assistant", "content": "It is 0."}
    seen = ftkit(
        "data", "format", dataset, "--map", "user=answer", "--map", "assistant=question", "--json"
    ).json
    assert seen["dataset"] != dataset
    assert seen["parents"] == [dataset]
    assert seen["mapping"] == {"user": "answer", "assistant": "question"}
    assert seen["conversation"][-1] == {"role": "assistant", "content": "What is 0 and 0?"}
    assert ftkit("data", "format", dataset, "--json").json["mapping"] == before["mapping"]


@pytest.mark.parametrize("text", ["user", "user=nosuch", "nobody=answer"])
def test_a_wrong_role_is_a_mistake(ftkit, dataset, text):
    assert ftkit("data", "format", dataset, "--map", text).code == 2


def test_split_keeps_every_row_once_and_the_seed_decides(ftkit, dataset):
    first, again, other = (
        ftkit("data", "split", dataset, "--ratios", "0.6,0.2,0.2", "--seed", seed, "--json").json
        for seed in (1, 1, 2)
    )
    assert sum(first["sizes"].values()) == 20
    assert all(first["sizes"].values())
    assert first["sizes"] == again["sizes"]
    assert first["leaks"] == 0
    assert (first["ratios"], first["seed"]) == ([0.6, 0.2, 0.2], 1)
    assert len({first["split"], again["split"], other["split"]}) == 3


@pytest.mark.parametrize("ratios", ["1", "a,b,c", "0.8,0.1", "0.5,0.5,0.5", "2,-1,0", "nan,0,0"])
def test_wrong_ratios_are_a_mistake(ftkit, dataset, ratios):
    assert ftkit("data", "split", dataset, f"--ratios={ratios}").code == 2


def test_a_part_may_be_empty(ftkit, dataset):
    assert ftkit("data", "split", dataset, "--ratios", "1,0,0", "--json").json["sizes"]["train"] == 20


def test_a_large_dataset_is_split_with_progress_on_standard_error(ftkit, tmp_path):
    lines = [
        json.dumps({"question": f"Where is lamp {n} of {n * 7 % 401}?", "answer": f"On {n}."})
        for n in range(4000)
    ]
    (tmp_path / "large.jsonl").write_text("\n".join(lines))
    dataset = ftkit("data", "import", tmp_path / "large.jsonl", "--json").json["dataset"]
    made = ftkit("data", "split", dataset, "--json")
    assert made.code == 0
    assert sum(made.json["sizes"].values()) + made.json["left_out"] == 4000
    assert "Splitting: starting" in made.err
    failed = ftkit("data", "split", dataset, "--group", "nobody", "--json")
    assert failed.code == 2
    assert "nobody" in failed.json["error"]["text"]


def test_a_split_keeps_groups_and_near_duplicates_together_and_reports_its_leaks(ftkit, tmp_path):
    words = ["kettle", "ladder", "lantern", "compass", "violin", "garden", "cellar"]
    rows = [
        {
            "question": f"Where is the {words[n % 7]} that {words[n * 3 % 5]} {n} holds?",
            "answer": f"{words[(n + 2) % 7]}, {n}",
            "who": f"p{n % 20}",
        }
        for n in range(60)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    dataset = ftkit("data", "import", tmp_path / "a.jsonl", "--json").json["dataset"]
    made = ftkit(
        "data", "split", dataset, "--group", "who", "--near", "--ratios", "0.6,0.2,0.2", "--json"
    ).json
    assert (made["leaks"], made["leak_kinds"]) == (0, {"exact": 0, "near": 0, "group": 0})
    assert (made["group"], made["near"]) == ("who", True)
    by_label = ftkit("data", "split", dataset, "--stratify", "who", "--no-near", "--seed", "5")
    assert "near copies in another part" in by_label.out
    other = ftkit("data", "split", dataset, "--test", dataset)
    assert other.code == 2
    assert ftkit("data", "split", dataset, "--group", "nobody").code == 2


def test_rows_get_another_form_by_a_named_template_or_a_file(ftkit, dataset, tmp_path):
    made = ftkit("data", "format", dataset, "--as", "text", "--template", "talimat", "--json").json
    assert made["parents"] == [dataset]
    assert made["conversation"][0]["content"] == "### Talimat:\nWhat is 0 and 0?\n\n### Yanıt:\n"
    file = tmp_path / "own.jinja"
    file.write_text("Q: {{ instruction }}\nA: {{ answer }}")
    made = ftkit("data", "format", dataset, "--as", "completion", "--template", file, "--json").json
    assert made["conversation"][0]["content"] == "Q: What is 0 and 0?\nA: "
    chat = ftkit(
        "data",
        "format",
        dataset,
        "--as",
        "chat",
        "--map",
        "user=answer",
        "--map",
        "assistant=question",
        "--json",
    ).json
    assert (chat["columns"], chat["conversation"][0]["content"]) == (["messages"], "It is 0.")
    file.write_text("one\n{{ nobody }}")
    seen = ftkit("data", "format", dataset, "--as", "text", "--template", file, "--json")
    assert (seen.code, seen.json["error"]["key"]) == (2, "data.bad_template")
    assert "line 2" in seen.json["error"]["text"]
    for wrong in (
        ["--as", "poem"],
        ["--as", "text", "--template", tmp_path / "none"],
        ["--as", "preference"],
    ):
        assert ftkit("data", "format", dataset, *wrong).code == 2


def test_clean_makes_a_dataset_and_says_what_went(ftkit, tmp_path):
    path = tmp_path / "copies.jsonl"
    path.write_text(
        "\n".join(json.dumps(row) for row in [*ROWS, ROWS[0], {"question": "Why?", "answer": ""}])
    )
    parent = ftkit("data", "import", path, "--json").json["dataset"]
    seen = ftkit("data", "clean", parent, "--name", "Tidy", "--json")
    assert seen.code == 0
    assert (seen.json["name"], seen.json["parents"], seen.json["rows"], seen.json["kept"]) == (
        "Tidy",
        [parent],
        22,
        20,
    )
    assert seen.json["dropped"] == {"an exact copy of an earlier row": 1, "“answer” is empty": 1}
    history = ftkit("data", "history", seen.json["dataset"], "--json").json["history"]
    assert [one["dataset"] for one in history] == [seen.json["dataset"], parent]
    assert history[0]["cleaning"]["kept"] == 20

    steps = tmp_path / "steps.yaml"
    steps.write_text("- step: filter_rows\n  expression: len(answer) > 8\n")
    again = ftkit("data", "clean", parent, "--steps", steps, "--json").json
    assert again["kept"] == len([row for row in [*ROWS, ROWS[0]] if len(row["answer"]) > 8])


@pytest.mark.parametrize("text", ["- step: nonsense", "- step: filter_rows\n  expression: answer.x", ""])
def test_wrong_steps_are_a_mistake(ftkit, dataset, tmp_path, text):
    steps = tmp_path / "steps.yaml"
    steps.write_text(text)
    seen = ftkit("data", "clean", dataset, "--steps", steps, "--json")
    assert (seen.code, "Traceback" in seen.err) == (2, False)
    assert ftkit("data", "clean", dataset, "--steps", "no-preset").code == 2


def test_several_files_become_one_dataset(ftkit, file, tmp_path):
    (tmp_path / "more.csv").write_text("question,answer\nWhy?,Because.\n")
    seen = ftkit("data", "import", file, tmp_path / "more.csv", "--name", "Both", "--json")
    assert (seen.code, seen.json["rows"], seen.json["name"]) == (0, 21, "Both")
    assert [(item["file"], item["line"]) for item in seen.json["skipped"]] == [("sums.jsonl", 4)]


def test_a_file_is_read_as_the_options_say(ftkit, tmp_path):
    (tmp_path / "a.csv").write_bytes("soru|cevap\nne?|şu\n".encode("cp1254"))
    told = ftkit(
        "data",
        "import",
        tmp_path / "a.csv",
        "--encoding",
        "windows-1254",
        "--delimiter",
        "|",
        "--no-header",
        "--json",
    )
    assert (told.json["rows"], told.json["columns"]) == (2, ["column_1", "column_2"])
    assert ftkit("data", "import", tmp_path / "a.csv", "--encoding", "nonsense").code == 2


def test_the_hub_is_named_and_not_asked_where_that_is_forbidden(ftkit, file, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    seen = ftkit("data", "import", "hub:org/data", "--json")
    assert (seen.code, seen.json["error"]["key"]) == (1, "data.hub_offline")
    assert ftkit("data", "import", "hub:nonsense").code == 2
    assert ftkit("data", "import", "hub:org/data", file).code == 2


@pytest.mark.parametrize("to", ["jsonl", "csv", "parquet"])
def test_export_writes_what_can_be_imported_again(ftkit, dataset, tmp_path, to):
    out = tmp_path / f"out.{to}"
    seen = ftkit("data", "export", dataset, "--out", out, "--json").json
    assert (seen["format"], seen["bytes"]) == (to, out.stat().st_size)
    again = ftkit("data", "import", out, "--json").json
    assert ftkit("data", "show", again["dataset"], "--limit", "100", "--json").json["examples"] == ROWS
    assert ftkit("data", "export", dataset, "--out", out).code == 2


def test_export_of_a_part_and_of_nothing(ftkit, dataset, tmp_path):
    made = ftkit("data", "split", dataset, "--ratios", "0.6,0.2,0.2", "--json").json
    split = made["split"]
    ftkit("data", "export", split, "--part", "test", "--to", "jsonl", "--out", tmp_path / "t.txt")
    assert len((tmp_path / "t.txt").read_text().splitlines()) == made["sizes"]["test"] > 0
    for arguments in (
        ["nothing", "--out", "a.csv"],
        [dataset, "--out", "a.xls"],
        [split, "--part", "x", "--out", "a.csv"],
    ):
        assert ftkit("data", "export", *arguments).code == 2
