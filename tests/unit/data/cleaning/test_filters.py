import pytest

from ftkit.data.cleaning.steps import KEEP, Drop
from ftkit.errors import BadInput
from tests.unit.data.cleaning.conftest import context


def qa(answer: str, question: str = "Tell me something.") -> dict[str, str]:
    return {"question": question, "answer": answer}


LOOP = "and again the same words " * 20


@pytest.mark.parametrize(
    ("step", "row", "why"),
    [
        ({"step": "drop_empty"}, qa("  "), "is empty"),
        ({"step": "drop_empty"}, qa("a", " "), "is empty"),
        ({"step": "drop_empty", "columns": ["question"]}, qa("a", ""), "“question” is empty"),
        ({"step": "drop_short", "minimum": 5, "part": "answer"}, qa("abcd"), "shorter than 5 (characters)"),
        (
            {"step": "drop_short", "minimum": 3, "unit": "words", "part": "answer"},
            qa("two words"),
            "3 (words)",
        ),
        ({"step": "drop_long", "maximum": 3, "part": "answer"}, qa("abcd"), "longer than 3 (characters)"),
        (
            {"step": "keep_languages", "languages": ["en"]},
            qa("Bu cümle tamamen Türkçe yazılmış bir yanıttır."),
            "(tr)",
        ),
        ({"step": "keep_languages", "uncertain": "drop", "part": "answer"}, qa("ok"), "too short"),
        ({"step": "drop_low_quality"}, qa("?!..."), "punctuation"),
        ({"step": "drop_low_quality"}, qa("As an AI language model, I cannot do that."), "refuses"),
        ({"step": "drop_low_quality"}, qa("I'm sorry, but I can't help with that."), "refuses"),
        ({"step": "drop_low_quality"}, qa("Üzgünüm, ancak bu konuda yardımcı olamam."), "refuses"),
        ({"step": "drop_low_quality"}, qa("<nooutput>"), "filler"),
        ({"step": "drop_low_quality"}, qa("Tell me  SOMETHING."), "repeats the question"),
        ({"step": "drop_low_quality"}, qa("1234567890 1234567890 12345"), "few letters"),
        ({"step": "drop_low_quality"}, qa("one line\n" * 6), "same lines"),
        ({"step": "drop_low_quality"}, qa(LOOP), "same phrase"),
    ],
)
def test_rows_that_go_and_why(judge, step, row, why):
    verdict = judge(step, row)
    assert isinstance(verdict, Drop)
    assert why in verdict.reason


@pytest.mark.parametrize(
    "step",
    [
        {"step": "drop_empty"},
        {"step": "drop_short", "minimum": 5},
        {"step": "drop_long", "maximum": 500},
        {"step": "keep_languages", "languages": ["en", "tr"]},
        {"step": "drop_low_quality"},
    ],
)
@pytest.mark.parametrize(
    "row",
    [
        qa("The kettle is in the kitchen, next to the stove."),
        qa("Çaydanlık mutfakta, ocağın yanında duruyor."),
        qa("I'm sorry to hear that. Here is how to return the kettle: send it back."),
        qa("```python\nprint(1)\n```"),
        qa("5", "What is two plus three? Answer with a number."),
    ],
)
def test_good_rows_stay(judge, step, row):
    assert judge(step, row) == KEEP


def test_an_empty_input_beside_an_instruction_is_no_reason(judge):
    here = context({"instruction": "i", "user": "u", "assistant": "a"})
    assert judge({"step": "drop_empty"}, {"i": "Add.", "u": "", "a": "3"}, context=here) == KEEP


def test_tokens_are_counted_where_a_tokenizer_is(judge):
    step = {"step": "drop_long", "unit": "tokens", "maximum": 3, "model": "m", "part": "answer"}
    here = context(count_tokens=lambda model, text: len(text) if model == "m" else 0)
    assert isinstance(judge(step, qa("abcd"), context=here), Drop)
    assert judge(step, qa("abc"), context=here) == KEEP
    for wrong in (step, {**step, "model": ""}):
        with pytest.raises(BadInput):
            judge(wrong, qa("abc"))


def test_unknown_languages_and_columns_are_mistakes(judge):
    with pytest.raises(BadInput, match="no language “xx”"):
        judge({"step": "keep_languages", "languages": ["xx"]}, qa("a"))
    with pytest.raises(BadInput, match="no column “nope”"):
        judge({"step": "drop_empty", "columns": ["nope"]}, qa("a"))
