import pytest

from ftkit.workers.evaluation.about import add_facts, topics

ENGLISH = "Where is my parcel? I have been waiting for it since last week."
TURKISH = "Siparişim nerede kaldı? Geçen haftadan beri bekliyorum, lütfen yardım edin."
REFUSAL = "I'm sorry, but I cannot help with that request at this time, unfortunately."
MAPPING = {"user": "question", "assistant": "answer"}


def samples(count: int, **more: str) -> list[dict[str, object]]:
    made = {"prompt": ENGLISH, "reference": TURKISH, "base_answer": ENGLISH, "tuned_answer": TURKISH, **more}
    return [{"row": n, **made} for n in range(count)]


def test_languages_of_all_texts_and_refusals_of_both_sides():
    rows = samples(1, base_answer=REFUSAL, extra_answer="kısa")
    add_facts(rows, [{}], MAPPING, 1)
    (row,) = rows
    assert (row["language"], row["reference_language"]) == ("en", "tr")
    assert (row["base_language"], row["tuned_language"], row["extra_language"]) == ("en", "tr", "")
    assert (row["base_refuses"], row["tuned_refuses"], row["extra_refuses"]) == (True, False, False)
    assert row["topic"] is None


def test_a_refusal_that_is_wanted_is_none():
    rows = samples(1, base_answer=REFUSAL, reference=REFUSAL)
    add_facts(rows, [{}], MAPPING, 1)
    assert rows[0]["base_refuses"] is False


def test_rows_without_answers_are_looked_at_too():
    rows = samples(1, prompt="", tuned_answer=None, base_answer=None)
    add_facts(rows, [{}], {"text": "t"}, 1)
    assert (rows[0]["language"], rows[0]["tuned_language"]) == ("tr", "")


def test_columns_of_few_values_that_play_no_role_cut_the_rows():
    values = [
        {"question": "same", "answer": "a", "shop": "north" if n % 2 else "south", "stars": n % 3, "id": str(n),
         "all": "one", "gap": None if n < 4 else "x" * (n % 2 + 1), "long": "y" * 61 * (n % 2 + 1)}
        for n in range(12)
    ]  # fmt: skip
    rows = samples(12)
    add_facts(rows, values, MAPPING, 1)
    assert {key for key in rows[0] if key.startswith("column_")} == {
        "column_shop",
        "column_stars",
        "column_gap",
    }
    assert [row["column_stars"] for row in rows[:3]] == ["0", "1", "2"]
    assert rows[0]["column_gap"] is None


@pytest.mark.parametrize("seed", [1, 42])
def test_topics_are_found_and_named_by_their_words(seed):
    told = [
        "the refund of my card was charged twice",
        "a parcel is late, the courier lost it",
        "cannot log in, password forgotten",
    ]
    found = topics([told[n % 3] for n in range(30)], seed)
    assert [len(set(found[n::3])) for n in range(3)] == [1, 1, 1]
    assert len(set(found)) == 3
    assert set(found[0].split(", ")) <= {"refund", "card", "charged", "twice"}
    assert found == topics([told[n % 3] for n in range(30)], seed)


@pytest.mark.parametrize(
    "texts", [["a refund"] * 5, ["the same words"] * 40, ["x"] * 40, [f"word{n}" for n in range(40)]]
)
def test_no_topics_where_there_are_none(texts):
    assert set(topics(texts, 1)) == {None}
