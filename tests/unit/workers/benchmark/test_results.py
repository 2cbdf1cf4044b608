import json
import math
from typing import Any

from ftkit.workers.benchmark.results import answers_of, side_of, signature_of


def sample(doc: int, **scores: Any) -> dict[str, Any]:
    return {
        "doc_id": doc,
        "filter": "none",
        "metrics": list(scores),
        "doc_hash": f"d{doc}",
        "prompt_hash": "p",
        "target_hash": "t",
        "target": 1,
        "arguments": [("question", " late")],
        "filtered_resps": [(-math.inf, False)],
        **scores,
    }


def found(**changes: Any) -> dict[str, Any]:
    """As the harness returns it, of two tasks in a group."""
    return {
        "results": {
            "one": {"alias": "one", "sample_len": 2, "acc,none": 0.5, "acc_stderr,none": 0.5},
            "two": {"alias": "two", "f1,none": math.nan, "f1_stderr,none": "N/A", "acc,none": 1.0},
            "both": {"alias": "both", "acc,none": 2 / 3, "acc_stderr,none": 0.2},
        },
        "group_subtasks": {"both": ["inner", "two"], "inner": ["one"]},
        "configs": {
            "one": {
                "task": "one",
                "doc_to_text": "{{q}}",
                "metadata": {"version": 1, "config_source": "/a/one.yaml"},
            },
            "two": {"task": "two", "doc_to_text": "{{q}}", "metadata": None},
        },
        "versions": {"one": 1.0},
        "n-shot": {"one": 0, "two": 5},
        "n-samples": {"one": {"original": 9, "effective": 2}, "two": {"original": 1, "effective": 1}},
        "higher_is_better": {"one": {"acc": True}, "two": {"acc": True, "f1": True}},
        "samples": {
            "one": [sample(0, acc=1.0), sample(1, acc=False)],
            "two": [sample(0, acc=1.0, f1=(1, 0))],
        },
        **changes,
    }


def test_values_errors_and_scores_by_task_and_group() -> None:
    told = side_of(found())
    assert told["one"] == {
        "rows": 2,
        "metrics": {
            "acc,none": {
                "name": "acc",
                "filter": "none",
                "higher": True,
                "value": 0.5,
                "error": 0.5,
                "scores": {"one 0": 1.0, "one 1": 0.0},
            }
        },
    }
    assert told["both"]["rows"] == 3
    assert told["both"]["metrics"]["acc,none"]["scores"] == {"one 0": 1.0, "one 1": 0.0, "two 0": 1.0}


def test_what_is_no_number_is_none_and_leaves_nothing_to_pair() -> None:
    metric = side_of(found())["two"]["metrics"]["f1,none"]
    assert (metric["value"], metric["error"], metric["scores"]) == (None, None, {})


def test_tasks_of_a_group_that_disagree_have_no_better_way() -> None:
    told = side_of(found(higher_is_better={"one": {"acc": True}, "two": {"acc": False}}))
    assert told["both"]["metrics"]["acc,none"]["higher"] is None


def test_the_signature_tells_task_and_rows_but_not_the_place() -> None:
    told = signature_of(found())
    assert (told["one"]["version"], told["two"]["shots"], told["two"]["version"]) == (1.0, 5, None)
    moved, changed, fewer = found(), found(), found()
    moved["configs"]["one"]["metadata"]["config_source"] = "/b/one.yaml"
    changed["configs"]["one"]["doc_to_text"] = "{{q}}?"
    fewer["samples"]["one"].pop()
    assert signature_of(moved) == told
    assert signature_of(changed)["one"]["config_hash"] != told["one"]["config_hash"]
    assert signature_of(fewer)["one"]["rows_hash"] != told["one"]["rows_hash"]


def test_every_answer_is_a_line_of_json() -> None:
    lines = [json.loads(line) for line in answers_of(found())]
    assert [(line["task"], line["doc_id"], line["acc"]) for line in lines] == [
        ("one", 0, 1.0),
        ("one", 1, False),
        ("two", 0, 1.0),
    ]
    assert lines[0]["filtered_resps"] == [["-inf", False]]
