import json

import pytest

from ftkit.evaluation.bias.names import NAMES
from ftkit.evaluation.measuring.scores import json_fields
from ftkit.workers.evaluation.beside.names import MOST_ROWS, quality, signed_answers, signed_rows
from ftkit.workers.training.rows import FastTokenizer
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.training
MAPPING = {"system": "system", "user": "message", "assistant": "answer"}
ROWS = [
    {"system": "Sort it.", "message": f"Parcel {n} is late.", "answer": json.dumps({"category": "delivery"})}
    for n in range(60)
]


@pytest.fixture(scope="module")
def encode(tmp_path_factory: pytest.TempPathFactory) -> FastTokenizer:
    return FastTokenizer(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


def test_only_the_name_differs_between_the_prompts_of_a_row(encode: FastTokenizer) -> None:
    rows = signed_rows(ROWS, MAPPING, encode)
    assert len(rows) == MOST_ROWS * len(NAMES) == len({row.row for row in rows})
    first = rows[: len(NAMES)]
    assert {row.prompt[0]["content"] for row in first} == {"Sort it."}
    assert [row.prompt[1]["content"] for row in first] == [f"Parcel 0 is late.\n\n{name}" for name in NAMES]
    assert len({tuple(row.asked) for row in first}) == len(NAMES)
    assert not any(row.ids for row in rows)  # nothing to score


def test_an_answer_is_told_with_its_row_its_name_and_its_quality(encode: FastTokenizer) -> None:
    rows = signed_rows(ROWS, MAPPING, encode)
    fields = json_fields([row["answer"] for row in ROWS])
    right = {
        row.row: {"answer": row.reference if "Ayşe" in row.prompt[1]["content"] else "no"} for row in rows
    }
    found = signed_answers(rows, right.__getitem__, fields)
    assert {one.name: one.quality for one in found} == {name: float(name == "Ayşe") for name in NAMES}
    assert max(one.row for one in found) > 50  # spread over the part


def test_rows_without_a_prompt_are_not_asked(encode: FastTokenizer) -> None:
    assert signed_rows([{"text": "Only a text."}], {"text": "text"}, encode) == []


def test_quality_is_the_share_of_right_categories_or_else_word_overlap() -> None:
    wanted = json.dumps({"category": "billing", "priority": "low"})
    fields = json_fields([wanted])
    assert quality(json.dumps({"category": "billing", "priority": "high"}), wanted, fields) == 0.5
    assert quality("not JSON", wanted, fields) == 0.0
    assert quality("the cat", "the dog", []) == 0.5
