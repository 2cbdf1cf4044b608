from collections.abc import Iterator

import pytest

from ftkit.evaluation.general.questions import questions
from ftkit.workers.evaluation.general import MOST_TOKENS, Asking, ask_general
from ftkit.workers.evaluation.prepared import Prepared
from ftkit.workers.training.rows import FastTokenizer
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.training
CHAT = {"user": "message", "assistant": "answer"}


@pytest.fixture(scope="module")
def encode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastTokenizer]:
    return FastTokenizer(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


class Scripted:
    """Base knows all, tuned prefers the last option and answers everything in JSON."""

    def __init__(self, encode: FastTokenizer) -> None:
        self.encode = encode
        self.seen: list[str] = []

    def nlls(self, side: str, rows: list[Prepared]) -> list[float]:
        right = {one.question: one.answer for one in questions()}
        last = {one.question: one.options[-1] for one in questions() if one.options}
        wanted = right if side == "base" else last
        asked = [
            row.prompt[0]["content"].removeprefix("Question: ").removesuffix("\nAnswer:") for row in rows
        ]
        return [
            1.0 if row.reference.strip() == wanted[question] else 2.0
            for row, question in zip(rows, asked, strict=True)
        ]

    def answers(self, side: str, rows: list[Prepared], limit: int) -> list[str]:
        assert limit == MOST_TOKENS
        self.seen = [row.prompt[0]["content"] for row in rows]
        return ["yes" if side == "base" else '{"category": "account"}' for _ in rows]


def test_each_side_is_marked_by_what_it_finds_likeliest_and_what_it_writes(encode: FastTokenizer) -> None:
    scripted = Scripted(encode)
    found = {one.id: one for one in ask_general(Asking(scripted.nlls, scripted.answers), CHAT, encode)}
    assert list(found) == [one.id for one in questions()]
    for one in questions():
        if one.options:
            assert (found[one.id].base, found[one.id].tuned) == (True, False)
            assert (found[one.id].base_answer, found[one.id].tuned_answer) == (one.answer, one.options[-1])
    assert found["instructions-03"].base
    assert not found["instructions-03"].tuned
    assert found["instructions-03"].tuned_answer == '{"category": "account"}'
    assert not found["instructions-01"].base


def test_a_model_of_plain_texts_is_asked_in_plain_text(encode: FastTokenizer) -> None:
    scripted = Scripted(encode)
    ask_general(Asking(scripted.nlls, scripted.answers), CHAT, encode)
    assert not scripted.seen[0].startswith("Question:")
    ask_general(Asking(scripted.nlls, scripted.answers), {"text": "text"}, encode)
    assert scripted.seen[0].startswith("Question:")


def test_a_model_that_finds_all_alike_knows_nothing(encode: FastTokenizer) -> None:
    asking = Asking(lambda _side, rows: [1.0] * len(rows), lambda _side, rows, _limit: [""] * len(rows))
    assert not any(one.base or one.tuned for one in ask_general(asking, CHAT, encode))
