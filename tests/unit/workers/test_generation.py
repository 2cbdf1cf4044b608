from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.workers.generation import Answer, answer_all, answer_batch, batches, end_tokens, left_padded
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


def test_batches_hold_every_row_once_and_stay_within_their_size() -> None:
    lengths = [5, 300, 20, 7, 2000, 299, 1] * 5
    found = batches(lengths, more=50, most_tokens=1000)
    assert sorted(index for batch in found for index in batch) == list(range(len(lengths)))
    for batch in found:
        widest = max(lengths[index] for index in batch) + 50
        assert len(batch) == 1 or widest * len(batch) <= 1000
    widths = [max(lengths[index] for index in batch) for batch in found]
    assert widths == sorted(widths, reverse=True)


def test_padding_goes_to_the_left(loaded: tuple[Any, Any]) -> None:
    inputs = left_padded([[5, 6, 7], [8]], loaded[1], torch.device("cpu"))
    assert inputs["input_ids"].tolist()[1][-1] == 8
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [0, 0, 1]]


def test_an_answer_in_a_batch_is_the_answer_alone(loaded: tuple[Any, Any]) -> None:
    tokenizer = loaded[1]
    texts = ["my parcel", "my parcel is late and the kettle will not boil", "İyi günler"]
    prompts = [chat_ids(tokenizer, [{"role": "user", "content": text}], True) for text in texts]
    assert answers(loaded, prompts) == [answers(loaded, [prompt])[0] for prompt in prompts]


def test_an_answer_ends_at_an_end_token(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    prompt = chat_ids(tokenizer, QUESTION, True)
    (whole,) = answers(loaded, [prompt])
    assert whole.cut
    first_tokens = model.generate(torch.tensor([prompt]), max_new_tokens=3, do_sample=False)[0, len(prompt) :]
    plain = model.get_base_model().generation_config
    before = plain.eos_token_id
    try:
        plain.eos_token_id = [int(first_tokens[2])]
        (ended,) = answers(loaded, [prompt])
    finally:
        plain.eos_token_id = before
    assert not ended.cut
    assert ended.tokens <= 2
    assert whole.text.startswith(ended.text)


def test_end_tokens_are_the_models_and_the_tokenizers(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    assert end_tokens(model, tokenizer) == [tokenizer.eos_token_id]


def test_an_answer_stops_where_the_context_ends(loaded: tuple[Any, Any]) -> None:
    prompt = [10] * 505  # the tiny model reads 512 tokens
    (answer,) = answers(loaded, [prompt], limit=100)
    assert answer.tokens <= 7


def test_the_path_of_a_model_is_no_part_of_its_answers(tmp_path: Path, loaded: tuple[Any, Any]) -> None:
    folder = make_tiny_model(tmp_path / "copy")
    adapter = make_tiny_adapter(folder, tmp_path / "adapter")
    again = load_with_adapter(folder, adapter, torch.float32), load_tokenizer(folder)
    prompt = chat_ids(loaded[1], QUESTION, True)
    assert answers(again, [prompt]) == answers(loaded, [prompt])


class Steps:
    """A stop that is never asked for, and how many tokens were made until now."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> bool:
        self.made += 1
        return False


def ending_early(loaded: tuple[Any, Any], prompts: list[list[int]]) -> list[int]:
    """End tokens with which the rows of a random model end at different places."""
    whole = [answer.text for answer in answers(loaded, prompts, 40)]
    tokenizer = loaded[1]
    tokens = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in whole]
    return [row[place] for row, place in zip(tokens, (3, 9, 20, 5, 14, 30), strict=False)]


def test_sides_in_one_batch_answer_as_each_alone(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    # The tiny model reads 512 tokens: these rows end one after the other, and the batch shrinks in between.
    drawn = torch.Generator().manual_seed(3)
    lengths = (507, 500, 494, 487, 480, 470)
    prompts = [torch.randint(3, 300, (length,), generator=drawn).tolist() for length in lengths]
    tuned = [answers(loaded, [prompt], 40)[0] for prompt in prompts]
    with model.disable_adapter():
        base = [answers(loaded, [prompt], 40)[0] for prompt in prompts]
    assert len({answer.text for answer in [*base, *tuned]}) == 2 * len(prompts)
    assert len({answer.tokens for answer in [*base, *tuned]}) >= len(prompts)
    steps = Steps()
    count = len(prompts)
    names = [BASE] * count + [ADAPTER] * count
    found = dict(answer_batch(model, tokenizer, prompts * 2, 40, steps, names))
    assert [found[n] for n in range(count)] == base
    assert [found[count + n] for n in range(count)] == tuned
    assert steps.made == 40, "one step a token: nothing was made twice"


def test_a_batch_shrinks_as_its_rows_finish(loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = loaded
    prompts = [
        chat_ids(tokenizer, [{"role": "user", "content": text}], True) for text in ("a", "b c", "d e f")
    ]
    monkeypatch.setattr(
        model.get_base_model().generation_config, "eos_token_id", ending_early(loaded, prompts)
    )
    widths: list[int] = []
    forward = model.get_base_model().forward

    def counted(*given: Any, **more: Any) -> Any:
        widths.append(len(more["input_ids"]))
        return forward(*given, **more)

    monkeypatch.setattr(model.get_base_model(), "forward", counted)
    order = [index for index, _ in answer_batch(model, tokenizer, prompts, 40, lambda: False)]
    assert sorted(order) == [0, 1, 2]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) > 1, widths
    assert widths[-1] < 3


def test_a_row_ends_at_its_own_limit_not_at_that_of_the_longest(loaded: tuple[Any, Any]) -> None:
    long, short = [10] * 500, [11] * 480  # the tiny model reads 512 tokens
    together = answers(loaded, [long, short], 100)
    assert together == [answers(loaded, [prompt], 100)[0] for prompt in (long, short)]
    assert [answer.tokens for answer in together if answer.cut] == [12, 32]


def test_what_cannot_be_divided_is_read_again(
    loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = [
        chat_ids(loaded[1], [{"role": "user", "content": text}], True) for text in ("a", "b c", "d e f")
    ]
    plain = loaded[0].get_base_model().generation_config
    monkeypatch.setattr(plain, "eos_token_id", ending_early(loaded, prompts))
    expected = answers(loaded, prompts, 40)
    monkeypatch.setattr("ftkit.workers.generation._selected", lambda _cache, _rows: None)
    assert answers(loaded, prompts, 40) == expected
