from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ftkit.evaluation.general.questions import Question, questions
from ftkit.workers.evaluation.beside.general import general_results, general_rows
from ftkit.workers.evaluation.prepared import Prepared
from ftkit.workers.training.rows import FastTokenizer
from tests.tiny import make_tiny_model

pytestmark = pytest.mark.training
CHAT = {"user": "message", "assistant": "answer"}


@pytest.fixture(scope="module")
def encode(tmp_path_factory: pytest.TempPathFactory) -> FastTokenizer:
    return FastTokenizer(make_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


def saying(
    rows: list[Prepared], likeliest: Callable[[Question], str], answer: str
) -> Callable[[int], Mapping[str, Any]]:
    """A side that finds one option likeliest and answers everything alike."""
    wanted = {one.question: likeliest(one) for one in questions() if one.options}
    found: dict[int, dict[str, Any]] = {}
    for row in rows:
        if row.asked:
            found[row.row] = {"answer": answer}
        else:
            question = row.prompt[0]["content"].removeprefix("Question: ").removesuffix("\nAnswer:")
            found[row.row] = {"nll": 1.0 if row.reference.strip() == wanted[question] else 2.0}
    return found.__getitem__


def test_each_side_is_marked_by_what_it_finds_likeliest_and_what_it_writes(encode: FastTokenizer) -> None:
    rows = general_rows(CHAT, encode)
    base = saying(rows, lambda one: one.answer, "yes")
    tuned = saying(rows, lambda one: one.options[-1], '{"category": "account"}')
    found = {one.id: one for one in general_results(base, tuned)}
    assert list(found) == [one.id for one in questions()]
    for one in questions():
        if one.options:
            assert (found[one.id].base, found[one.id].tuned) == (True, False)
            assert (found[one.id].base_answer, found[one.id].tuned_answer) == (one.answer, one.options[-1])
    assert found["instructions-03"].base
    assert not found["instructions-03"].tuned
    assert found["instructions-03"].tuned_answer == '{"category": "account"}'
    assert not found["instructions-01"].base


def test_options_are_scored_and_the_rest_is_answered(encode: FastTokenizer) -> None:
    rows = general_rows(CHAT, encode)
    assert len({row.row for row in rows}) == len(rows)
    assert sum(bool(row.ids) for row in rows) == 4 * sum(bool(one.options) for one in questions())
    assert sum(bool(row.asked) for row in rows) == sum(bool(one.pattern) for one in questions())
    assert not any(row.ids and row.asked for row in rows)


@pytest.mark.parametrize(("mapping", "plain"), [(CHAT, False), ({"text": "text"}, True)])
def test_a_model_of_plain_texts_is_asked_in_plain_text(
    encode: FastTokenizer, mapping: dict[str, str], plain: bool
) -> None:
    asked = [row for row in general_rows(mapping, encode) if row.asked]
    assert asked[0].prompt[0]["content"].startswith("Question:") == plain


def test_a_model_that_finds_all_alike_knows_nothing() -> None:
    found = general_results(*[lambda _place: {"nll": 1.0, "answer": ""}] * 2)
    assert not any(one.base or one.tuned for one in found)
