from collections import Counter
from typing import Any

import pytest
import torch

from ftkit.workers.answers.streaming import AnswerStreamer, Limits, Pair, SharedNoise, answer_pair
from ftkit.workers.generation import Answer, answer_all
from ftkit.workers.loading import ADAPTER, chat_ids, load_tokenizer, load_with_adapter
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


def test_both_rows_of_a_pair_are_the_models_alone(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    prompt = chat_ids(tokenizer, QUESTION, True)
    seen: list[Pair] = []

    def tell(pair: Pair) -> bool:
        seen.append(pair)
        return True

    pair = answer_pair(model, tokenizer, prompt, ADAPTER, Limits(10), tell)
    (tuned,) = answers(loaded, [prompt])
    with model.disable_adapter():
        (base,) = answers(loaded, [prompt])
    assert pair == Pair(base, tuned)
    assert base.text != tuned.text
    assert [step.tuned.tokens for step in seen] == list(range(1, 11))
    assert all(pair.tuned.text.startswith(step.tuned.text) for step in seen)


def test_the_same_seed_gives_the_same_pair(loaded: tuple[Any, Any]) -> None:
    prompt = chat_ids(loaded[1], QUESTION, True)

    def ask(seed: int) -> Pair:
        return answer_pair(*loaded, prompt, ADAPTER, Limits(10, 1.0, 0.9, seed), lambda _: True)

    assert ask(1) == ask(1)
    assert ask(1) != ask(2)


def test_generation_ends_when_nobody_wants_more(loaded: tuple[Any, Any]) -> None:
    prompt = chat_ids(loaded[1], QUESTION, True)
    pair = answer_pair(*loaded, prompt, ADAPTER, Limits(200), lambda pair: pair.base.tokens < 3)
    assert pair.base.tokens <= 4


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
    streamer = AnswerStreamer(tokenizer, [2], 50, 2, lambda answers: told.append(answers[0].text))
    streamer.put(torch.tensor([[1], [1]]))
    tokens = tokenizer("ğ漢", add_special_tokens=False)["input_ids"]
    assert len(tokens) > 2  # the tiny tokenizer knows no such character as a whole
    for token in tokens:
        streamer.put(torch.tensor([token, token]))
    assert told[-1] == "ğ漢"
    assert not any("\ufffd" in text for text in told)


def test_a_finished_row_takes_no_more_tokens(loaded: tuple[Any, Any]) -> None:
    streamer = AnswerStreamer(loaded[1], [2], 3, 2, lambda _: None)
    streamer.put(torch.tensor([[1], [1]]))
    for base, tuned in ((10, 10), (2, 11), (2, 12)):
        streamer.put(torch.tensor([base, tuned]))
    base_answer, tuned_answer = streamer.answers()
    assert (base_answer.tokens, base_answer.cut) == (1, False)
    assert (tuned_answer.tokens, tuned_answer.cut) == (3, True)
