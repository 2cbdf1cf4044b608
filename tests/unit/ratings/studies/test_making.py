import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftkit.ratings.studies.making import Made, items_of
from ftkit.ratings.studies.options import PROTOCOLS, Prompt, StudyOptions

SIDES = ("base:m", "run:a", "run:b")


def prompts(count: int, references: bool = True) -> list[Prompt]:
    words = ("billing", "delivery", "returns", "account")
    return [
        Prompt(
            messages=({"role": "user", "content": f"question {n}"},),
            reference=f"{words[n % 4]} number {n}" if references else "",
            row=10 + n,
            slices={"kind": words[n % 4]},
        )
        for n in range(count)
    ]


def answers(count: int, sides: tuple[str, ...] = SIDES, **texts: str) -> list[dict[str, Any]]:
    return [
        {"prompt": n, "side": side, "text": f"{side[-1]} says {n}", "tokens": 3, "cut": False}
        for n in range(count)
        for side in sides
    ]


def make(asked: list[Prompt], said: list[dict[str, Any]], sides: Any = SIDES, **options: Any) -> Made:
    ids = itertools.count()
    wanted = StudyOptions.parse({"sides": sides, **options})
    return items_of(wanted, asked, said, ["m-1.5b"], lambda: f"i{next(ids)}")


def test_every_two_sides_of_a_prompt_make_a_pair() -> None:
    made = make(prompts(4), answers(4))
    assert made.left_out == {}
    assert len(made.items) == 12
    assert [item.place for item in made.items] == list(range(12))
    pairs = Counter((item.row, tuple(one.side for one in item.answers)) for item in made.items)
    assert pairs == Counter((10 + n, two) for n in range(4) for two in itertools.combinations(SIDES, 2))
    rows = [item.row for item in made.items]
    assert all(one != other for one, other in itertools.pairwise(rows)), "not one prompt after itself"
    first = made.items[0]
    assert (first.reference, first.slices) == ("billing number 0", {"kind": "billing"})


@pytest.mark.parametrize("protocol", ["scales", "ranking", "pass_fail"])
def test_other_protocols_show_all_answers_of_a_prompt(protocol: str) -> None:
    made = make(prompts(3), answers(3), protocol=protocol)
    assert [[one.side for one in item.answers] for item in made.items] == [list(SIDES)] * 3


def test_a_prompt_without_an_answer_is_left_out_and_counted() -> None:
    said = [line for line in answers(3) if (line["prompt"], line["side"]) != (1, "run:b")]
    made = make(prompts(3), said)
    assert made.left_out == {"missing_answer": 1}
    assert {item.row for item in made.items} == {10, 12}


@pytest.mark.parametrize(
    ("protocol", "kept", "left_out"),
    [("pairs", 2, {"identical_answers": 1}), ("ranking", 1, {}), ("scales", 1, {}), ("pass_fail", 1, {})],
)
def test_where_two_answers_are_the_same(protocol: str, kept: int, left_out: dict[str, int]) -> None:
    said = answers(1)
    said[1] |= {"text": f" {said[0]['text']}\n"}
    made = make(prompts(1), said, protocol=protocol)
    assert (len(made.items), made.left_out) == (kept, left_out)


def test_a_ranking_of_the_same_answers_is_left_out() -> None:
    said = [{**line, "text": "all the same"} for line in answers(2)]
    assert make(prompts(2), said, protocol="ranking").left_out == {"identical_answers": 2}
    assert len(make(prompts(2), said, protocol="scales").items) == 2


def test_answers_that_name_a_model_are_marked() -> None:
    said = answers(2, SIDES[:2])
    said[0] |= {"text": "I am SmolLM2, or m-1.5b"}
    made = make(prompts(2), said, SIDES[:2])
    assert made.items[0].answers[0].named == ("SmolLM2", "m-1.5b")
    assert [one.named for item in made.items for one in item.answers].count(()) == 3


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("sides", [SIDES[:2], SIDES])
def test_gold_items_look_as_the_others_do(protocol: str, sides: tuple[str, ...]) -> None:
    made = make(prompts(6), answers(6, sides), sides, protocol=protocol, gold=4)
    gold = [item for item in made.items if item.gold is not None]
    assert len(gold) == 4
    assert made.left_out == {}
    (size,) = {len(item.answers) for item in made.items}
    for item in gold:
        assert {one.side for one in item.answers} == {""}
        texts = [one.text for one in item.answers]
        assert len(set(texts)) == size
        assert texts.index(item.reference) == item.gold
        assert set(texts) <= {prompt.reference for prompt in prompts(6)}
        right = item.reference.split()[0]
        assert all(text.split()[0] != right for text in texts if text != item.reference), (
            "unlike the right one"
        )
    assert [item.place for item in made.items] == list(range(len(made.items)))


def test_gold_takes_prompts_that_nobody_sees_otherwise() -> None:
    said = [{**line, "text": "same"} if line["prompt"] in (2, 5) else line for line in answers(6)]
    made = make(prompts(6), said, gold=2)
    assert {item.row for item in made.items if item.gold is not None} == {12, 15}


def test_one_side_alone_has_two_answers_on_gold_items() -> None:
    made = make(prompts(3), answers(3, SIDES[:1]), SIDES[:1], protocol="pass_fail", gold=1)
    assert [len(item.answers) for item in made.items] == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("asked", "possible"),
    [
        (prompts(5, references=False), 0),
        (prompts(1), 0),
        (prompts(2), 2),
        ([one.model_copy(update={"reference": "same "}) for one in prompts(4)], 0),
    ],
)
def test_gold_items_that_cannot_be_made_are_counted(asked: list[Prompt], possible: int) -> None:
    made = make(asked, answers(len(asked)), gold=3)
    assert sum(item.gold is not None for item in made.items) == possible
    assert made.left_out == {"gold_not_possible": 3 - possible}


def test_the_same_seed_makes_the_same_items() -> None:
    def gold(seed: int) -> list[Any]:
        made = make(prompts(12), answers(12), gold=5, seed=seed)
        assert made == make(prompts(12), answers(12), gold=5, seed=seed)
        return [(item.row, item.gold) for item in made.items if item.gold is not None]

    assert gold(1) != gold(2)


@given(
    said=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(SIDES), st.sampled_from(["x", "y", ""])), max_size=25
    ),
    protocol=st.sampled_from(PROTOCOLS),
    gold=st.integers(0, 3),
)
def test_counts_add_up(said: list[tuple[int, str, str]], protocol: str, gold: int) -> None:
    lines = [{"prompt": n, "side": side, "text": text} for n, side, text in said]
    made = make(prompts(6), lines, protocol=protocol, gold=gold)
    real = [item for item in made.items if item.gold is None]
    per_prompt = 3 if protocol == "pairs" else 1
    missing = made.left_out.get("missing_answer", 0)
    identical = made.left_out.get("identical_answers", 0)
    assert len(real) + identical + per_prompt * missing == 6 * per_prompt
    assert len(made.items) - len(real) + made.left_out.get("gold_not_possible", 0) == gold
    assert len({item.id for item in made.items}) == len(made.items)
