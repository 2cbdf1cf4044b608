from pathlib import Path
from typing import Any

from ftkit.workers.training.rows import FastTokenizer
from ftkit.workers.training.samples.prompts import Asked, first_prompts
from tests.unit.workers.runs import MAPPING, make_split, rows


def asked(
    folder: Path, model: Path, data: list[dict[str, Any]], mapping: dict[str, str], **more: Any
) -> list[Asked]:
    split = make_split(folder, [], data, list(data[0]))
    return first_prompts(
        split / "validation.parquet",
        mapping,
        FastTokenizer(model),
        more.get("limit", 512),
        more.get("method", "sft"),
        more.get("most", 2),
    )


def test_the_first_rows_are_asked_without_the_instruction_in_what_is_shown(
    tmp_path: Path, tiny_model: Path
) -> None:
    data = rows(4)
    found = asked(tmp_path, tiny_model, data, MAPPING)
    assert [one.row for one in found] == [1, 2]
    assert [(one.prompt, one.reference) for one in found] == [(r["message"], r["answer"]) for r in data[:2]]
    pieces = "".join(FastTokenizer(tiny_model).pieces(found[0].ids))
    assert data[0]["system"] in pieces
    assert pieces.endswith("<|im_start|>assistant\n")


def test_rows_that_cannot_be_asked_are_passed_over_and_keep_their_numbers(
    tmp_path: Path, tiny_model: Path
) -> None:
    data = [{"system": "", "message": "", "answer": "x"}, {**rows(1)[0], "message": "long " * 300}, *rows(2)]
    assert [one.row for one in asked(tmp_path, tiny_model, data, MAPPING, limit=200)] == [3, 4]


def test_of_a_plain_text_the_first_third_is_the_prompt(tmp_path: Path, tiny_model: Path) -> None:
    text = "one two three four five six seven eight nine ten"
    (one,) = asked(tmp_path, tiny_model, [{"text": text}, {"text": "a"}], {"text": "text"})
    assert (one.prompt, one.reference) == ("one two three", "four five six seven eight nine ten")
    assert one.beginning
    assert one.ids == FastTokenizer(tiny_model).text("one two three")


def test_preferences_show_the_answer_to_reach_or_to_avoid(tmp_path: Path, tiny_model: Path) -> None:
    pair = {"q": "Hi", "good": "Hello", "bad": "Go away"}
    roles = {"user": "q", "chosen": "good", "rejected": "bad"}
    for method in ("dpo", "kto"):
        (one,) = asked(tmp_path / method, tiny_model, [pair], roles, method=method)
        assert (one.prompt, one.reference, one.bad) == ("Hi", "Hello", False)
    marked = [{"q": "Hi", "a": "Hello", "mark": "good"}, {"q": "Hi", "a": "Go away", "mark": "bad"}]
    found = asked(
        tmp_path, tiny_model, marked, {"user": "q", "assistant": "a", "label": "mark"}, method="kto"
    )
    assert [(one.reference, one.bad) for one in found] == [("Hello", False), ("Go away", True)]


def test_long_texts_are_kept_by_their_ends(tmp_path: Path, tiny_model: Path) -> None:
    data = [{"q": "begin " + "x " * 2000 + "end", "a": "b"}]
    (one,) = asked(tmp_path, tiny_model, data, {"user": "q", "assistant": "a"}, limit=10_000)
    assert len(one.prompt) < 2010
    assert one.prompt.startswith("begin x")
    assert one.prompt.endswith("x end")
