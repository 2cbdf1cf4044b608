import json

import pytest

from ftkit.evaluation.bias.names import NAMES
from ftkit.evaluation.measuring.scores import json_fields
from ftkit.workers.evaluation.general import Asking
from ftkit.workers.evaluation.prepared import Prepared
from ftkit.workers.evaluation.probes import MOST_ROWS, ask_signed, quality
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
    seen: list[Prepared] = []

    def answers(side: str, rows: list[Prepared], limit: int) -> list[str]:
        assert limit == 20
        if side == "base":
            seen.extend(rows)
        return [row.reference if side == "tuned" else "no" for row in rows]

    fields = json_fields([row["answer"] for row in ROWS])
    found = ask_signed(Asking(lambda *_: [], answers), ROWS, MAPPING, encode, 20, fields)
    assert len(seen) == MOST_ROWS * len(NAMES) == len(found["base"]) == len(found["tuned"])
    first = seen[: len(NAMES)]
    assert {row.prompt[0]["content"] for row in first} == {"Sort it."}
    assert [row.prompt[1]["content"] for row in first] == [f"Parcel 0 is late.\n\n{name}" for name in NAMES]
    assert len({tuple(row.asked) for row in first}) == len(NAMES)
    assert {one.quality for one in found["tuned"]} == {1.0}
    assert {one.quality for one in found["base"]} == {0.0}
    assert max(row.row for row in seen) > 50  # spread over the part


def test_rows_without_a_prompt_are_not_asked(encode: FastTokenizer) -> None:
    asking = Asking(lambda *_: [], lambda _side, rows, _limit: ["x"] * len(rows))
    found = ask_signed(asking, [{"text": "Only a text."}], {"text": "text"}, encode, 20, [])
    assert found == {"base": [], "tuned": []}


def test_quality_is_the_share_of_right_categories_or_else_word_overlap() -> None:
    wanted = json.dumps({"category": "billing", "priority": "low"})
    fields = json_fields([wanted])
    assert quality(json.dumps({"category": "billing", "priority": "high"}), wanted, fields) == 0.5
    assert quality("not JSON", wanted, fields) == 0.0
    assert quality("the cat", "the dog", []) == 0.5
