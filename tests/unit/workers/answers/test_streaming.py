from collections import Counter
from typing import Any

import pytest
import torch
from transformers import RepetitionPenaltyLogitsProcessor

from ftkit.workers.answers.streaming import (
    AnswerStreamer,
    Limits,
    RepetitionPenalty,
    Said,
    SharedNoise,
    answer_rows,
)
from ftkit.workers.generation import Answer, answer_all
from ftkit.workers.loading import ADAPTER, BASE, chat_ids, load_tokenizer, load_with_adapter
from tests.tiny import make_tiny_adapter, make_tiny_model

pytestmark = pytest.mark.training

QUESTION = [{"role": "user", "content": "my parcel is late"}]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    adapter = make_tiny_adapter(folder, folder.parent / "adapter")
    torch.set_num_threads(1)
    return load_with_adapter(folder, adapter, torch.float32), load_tokenizer(folder)


def answers(loaded: tuple[Any, Any], prompts: list[list[int]], limit: int = 10) -> list[Answer]:
    found = dict(answer_all(*loaded, prompts, limit, lambda _: None, lambda: False))
    return [found[index] for index in range(len(prompts))]


def alone(loaded: tuple[Any, Any], prompt: list[int], adapter: str, limits: Limits) -> str:
    """Its answer without a batch around it."""
    (said,) = answer_rows(*loaded, [prompt], limits, lambda _: True, [adapter])
    return said.text


@pytest.mark.parametrize(
    "limits", [Limits(10), Limits(10, repetition_penalty=1.7), Limits(10, 0.9, 0.8, 40, 1.3, seed=3)]
)
def test_rows_of_unlike_lengths_are_the_models_alone(loaded: tuple[Any, Any], limits: Limits) -> None:
    short = chat_ids(loaded[1], QUESTION, True)
    long = chat_ids(loaded[1], [*QUESTION, {"role": "assistant", "content": "late"}, *QUESTION], True)
    asked = [(short, BASE), (short, ADAPTER), (long, BASE), (long, ADAPTER)]
    said = answer_rows(
        *loaded, [prompt for prompt, _ in asked], limits, lambda _: True, [name for _, name in asked]
    )
    assert [one.text for one in said] == [alone(loaded, *one, limits) for one in asked]
    assert len({one.text for one in said}) > 2


def test_greedy_rows_are_those_of_plain_batches(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    prompt = chat_ids(tokenizer, QUESTION, True)
    seen: list[list[Said]] = []
    said = answer_rows(
        model, tokenizer, [prompt] * 2, Limits(10), lambda step: not seen.append(step), [BASE, ADAPTER]
    )
    (tuned,) = answers(loaded, [prompt])
    with model.disable_adapter():
        (base,) = answers(loaded, [prompt])
    assert [(one.text, one.tokens, one.cut) for one in said] == [tuple(base), tuple(tuned)]
    assert [step[1].tokens for step in seen] == list(range(1, 11))
    assert all(said[1].text.startswith(step[1].text) for step in seen)
    assert [[one.done for one in step] for step in seen] == [[False] * 2] * 9 + [[True] * 2]


def test_the_same_seed_gives_the_same_answers(loaded: tuple[Any, Any]) -> None:
    prompt = chat_ids(loaded[1], QUESTION, True)

    def ask(seed: int) -> list[str]:
        limits = Limits(10, temperature=1.0, top_p=0.9, seed=seed)
        said = answer_rows(*loaded, [prompt] * 2, limits, lambda _: True, [BASE, ADAPTER])
        return [one.text for one in said]

    assert ask(1) == ask(1)
    assert ask(1) != ask(2)


def test_generation_ends_when_nobody_wants_more(loaded: tuple[Any, Any]) -> None:
    prompt = chat_ids(loaded[1], QUESTION, True)
    (said,) = answer_rows(*loaded, [prompt], Limits(200), lambda step: step[0].tokens < 3)
    assert said.tokens <= 4
    assert not said.done


def test_a_penalty_is_that_of_transformers_without_padding() -> None:
    ids = torch.tensor([[1, 3, 3]])
    scores = torch.tensor([[0.5, -1.0, 2.0, 3.0]])
    own = RepetitionPenalty(1.5, torch.ones_like(ids))(ids, scores)
    assert torch.equal(own, RepetitionPenaltyLogitsProcessor(1.5)(ids, scores.clone()))
    padded = torch.tensor([[2, 2, 1, 3, 3]])
    assert torch.equal(RepetitionPenalty(1.5, torch.tensor([[0, 0, 1, 1]]))(padded, scores), own)


def test_one_likeliest_token_is_the_greedy_one(loaded: tuple[Any, Any]) -> None:
    prompt = chat_ids(loaded[1], QUESTION, True)
    found = [
        answer_rows(*loaded, [prompt], limits, lambda _: True)[0].text
        for limits in (Limits(10), Limits(10, temperature=1.5, top_k=1))
    ]
    assert found[0] == found[1]


def test_shared_noise_samples_the_distribution() -> None:
    shares = torch.tensor([0.6, 0.3, 0.1, 0.0])
    noise = SharedNoise(seed=0)
    scores = torch.log(shares)[None, :]
    drawn = Counter(int(noise(torch.empty(1), scores).argmax()) for _ in range(4000))
    for token, share in enumerate(shares.tolist()):
        assert drawn[token] / 4000 == pytest.approx(share, abs=0.03)


def test_shared_noise_is_the_same_for_rows_that_agree() -> None:
    noise = SharedNoise(seed=0)
    agreeing = torch.randn(50, generator=torch.Generator().manual_seed(0)).expand(2, 50)
    for _ in range(200):
        first, second = noise(torch.empty(2), agreeing).argmax(dim=-1).tolist()
        assert first == second


def test_half_a_character_is_not_shown(loaded: tuple[Any, Any]) -> None:
    tokenizer = loaded[1]
    told: list[str] = []
    streamer = AnswerStreamer(tokenizer, [2], [50, 50], lambda answers: told.append(answers[0].text))
    streamer.put(torch.tensor([[1], [1]]))
    tokens = tokenizer("ğ漢", add_special_tokens=False)["input_ids"]
    assert len(tokens) > 2  # the tiny tokenizer knows no such character as a whole
    for token in tokens:
        streamer.put(torch.tensor([token, token]))
    assert told[-1] == "ğ漢"
    assert not any("\ufffd" in text for text in told)


def test_a_finished_row_takes_no_more_tokens(loaded: tuple[Any, Any]) -> None:
    streamer = AnswerStreamer(loaded[1], [2], [3, 3, 1], lambda _: None)
    streamer.put(torch.tensor([[1], [1], [1]]))
    for tokens in ((10, 10, 13), (2, 11, 14), (2, 12, 15)):
        streamer.put(torch.tensor(tokens))
    found = [(answer.tokens, answer.cut, answer.done) for answer in streamer.answers()]
    assert found == [(1, False, True), (3, True, True), (1, True, True)]
