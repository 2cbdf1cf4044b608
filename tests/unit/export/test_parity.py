from typing import Any

import pytest

from ftkit.export.parity import Gap, Heard, row_of, served_row

TRAINED = Heard("trainer", [[1, 2]], ["ab"], [[7, 8]])


def look(share: float) -> Any:
    return lambda number, place, other: Gap(share, "b", "c")


def spell(_: int, tokens: int) -> str:
    return "ab"[:tokens]


@pytest.mark.parametrize(
    ("heard", "share", "note"),
    [
        (Heard("merged", [[1, 2]], ["ab"], [[7, 8]]), 1.0, "same"),
        (Heard("merged", [[1, 2]], ["ac"], [[7, 9]], "bf16"), 0.01, "rounding"),
        (Heard("merged", [[1, 2]], ["ac"], [[7, 9]], "fp32"), 0.01, "differs"),
        (Heard("merged", [[1, 2]], ["ac"], [[7, 9]], "bf16"), 0.5, "differs"),
        (Heard("merged", [[1, 3]], ["ab"], [[7, 8]]), 0.0, "tokens"),
        (Heard("merged", [[1, 2]], ["a"], [[7]], "bf16"), 0.5, "differs"),
        (Heard("compare", [[1, 2]], ["ac"], None, "bf16"), 0.01, "rounding"),
        (Heard("compare", None, ["ab"], None, "bf16"), 1.0, "same"),
    ],
)
def test_a_way_is_the_same_explained_or_different(heard: Heard, share: float, note: str) -> None:
    row = row_of(heard, TRAINED, look(share), spell)
    assert row["note"] == note
    assert row["answers_equal"] == (row["equal_answers"] == row["prompts"])


def test_the_first_difference_is_where_the_answers_part() -> None:
    row = row_of(Heard("merged", [[1, 2]], ["ac"], [[7, 9]], "bf16"), TRAINED, look(0.01), spell)
    assert row["first_difference"] == {
        "prompt": 0,
        "token": 1,
        "expected": "b",
        "got": "c",
        "gap": 0.01,
        "tolerance": 0.06,
        "explained": True,
    }


def test_a_served_address_is_judged_by_what_was_kept_of_the_trained_model() -> None:
    said = [{"text": "a", "ahead": 0.4}, {"text": "b", "ahead": 0.02}]
    prompts = [{"answer": "ab", "said": said, "ahead_end": 0.3}]
    assert served_row("served", prompts, ["ab"], "bf16")["note"] == "same"
    assert served_row("served", prompts, ["ac"], "bf16")["note"] == "rounding"
    assert served_row("served", prompts, ["x"], "bf16")["note"] == "differs"
    assert served_row("served", prompts, ["abc"], "bf16")["note"] == "differs"


def test_halves_of_characters_that_a_text_writes_alike_are_looked_at_too() -> None:
    """The first two tokens spell nothing yet, so that the text parts at the third one, whatever it was that differed."""
    trained = Heard("trainer", [[1]], ["\ufffd\ufffdc"], [[7, 8, 9]])
    shares = [0.5, 0.01, 0.4]

    def sure(number: int, place: int, other: int | None) -> Gap:
        return Gap(shares[place], "", "")

    def spelled(number: int, tokens: int) -> str:
        return ["", "", "", "\ufffd\ufffdc"][tokens]

    row = row_of(Heard("served", None, ["\ufffdx"], None, "bf16"), trained, sure, spelled)
    assert (row["note"], row["first_difference"]["token"]) == ("rounding", 1)
    with_ids = row_of(Heard("merged", [[1]], ["\ufffdx"], [[7, 8, 3]], "bf16"), trained, sure, spelled)
    assert (with_ids["note"], with_ids["first_difference"]["token"]) == ("differs", 2)
