import pytest

from ftkit.evaluation.measuring.tasks import find_task

ARTICLE = "The council met on Tuesday and talked for hours about the bridge and its cost. " * 12
SHORT = "The council met about the bridge and could not agree."


@pytest.mark.parametrize(
    ("prompts", "references", "task"),
    [
        (["q"] * 4, ['{"a": 1}'] * 3 + ["none"], "extraction"),
        (["user: a\n\nassistant: b\n\nuser: c"] * 4, ["d e f", "g", "h", "i"], "chat"),
        (["What mood?"] * 6, ["glad", "sad", "Glad", "sad.", "glad", "sad"], "classification"),
        (["Translate into French: hello"] * 3, ["bonjour", "salut", "bonsoir"], "translation"),
        (["Şunu İngilizceye çevir: ev"] * 3, ["house", "car", "tree"], "translation"),
        (["Şu metni özetle: ..."] * 3, ["a b c", "d e f", "g h"], "summarising"),
        ([ARTICLE + "Summarize this."] * 2, [SHORT, SHORT + " Yet."], "summarising"),
        ([ARTICLE] * 3, [SHORT, SHORT + " a", SHORT + " b"], "summarising"),
        ([ARTICLE] * 3, ["Tuesday", "a bridge", "42"], "generation"),  # facts that were looked up
        (["Write a poem."], ["Roses are red"], "generation"),
        (["Name a colour."], ["red"], "generation"),  # one row shows no classes
        (["q"] * 30, [f"label {n}" for n in range(30)], "generation"),
        ([], [], "generation"),
    ],
)
def test_a_task_is_found_from_the_rows(prompts: list[str], references: list[str], task: str) -> None:
    assert find_task(prompts, references) == task


def test_references_decide_before_the_words_of_the_prompt() -> None:
    assert find_task(["Translate into JSON: a"] * 4, ['{"a": 1}'] * 4) == "extraction"
    assert find_task(["Is this translation right?"] * 8, ["yes", "no"] * 4) == "classification"
