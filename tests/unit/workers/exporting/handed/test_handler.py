"""The handler as an inference endpoint loads it, beside the project's own way to answer."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from ftkit.workers import loading
from ftkit.workers.exporting.handed import handler as handed
from ftkit.workers.exporting.handed.handler import EndpointHandler
from ftkit.workers.generation import answer_all
from tests.tiny import make_tiny_model, make_tiny_t5

CHAT = [
    {"role": "system", "content": "Sort the support message."},
    {"role": "user", "content": "Merhaba, siparişim gecikti; my parcel is late"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("handed") / "tiny", context_length=128)


@pytest.fixture(scope="module")
def handler(folder: Path) -> EndpointHandler:
    return EndpointHandler(str(folder))


def own_answer(folder: Path, prompt: Any) -> tuple[list[int], str]:
    model, tokenizer = loading.load_model(folder, torch.float32), loading.load_tokenizer(folder)
    ids = (
        tokenizer(prompt)["input_ids"]
        if isinstance(prompt, str)
        else loading.chat_ids(tokenizer, prompt, True)
    )
    ((_, answer),) = answer_all(model, tokenizer, [ids], 20, lambda _: None, lambda: False)
    return ids, answer.text


@pytest.mark.parametrize("prompt", [CHAT, "my parcel is late"])
def test_it_answers_as_the_project_does(folder: Path, handler: EndpointHandler, prompt: Any) -> None:
    ids, text = own_answer(folder, prompt)
    (answer,) = handler({"inputs": prompt, "parameters": {"max_new_tokens": 20}})
    assert (answer["generated_text"], handler.token_ids(prompt)) == (text, ids)
    assert answer["prompt_tokens"] == len(ids)
    assert answer["finish_reason"] == ("length" if answer["generated_tokens"] == 20 else "stop")
    json.dumps(answer)


def test_an_encoder_decoder_answers_as_well(tmp_path: Path) -> None:
    folder = make_tiny_t5(tmp_path / "t5")
    _, text = own_answer(folder, "my parcel is late")
    (answer,) = EndpointHandler(str(folder))(
        {"inputs": "my parcel is late", "parameters": {"max_new_tokens": 20}}
    )
    assert answer["generated_text"] == text


def test_sampling_depends_on_the_seed_alone(handler: EndpointHandler) -> None:
    def said(seed: int) -> str:
        wanted = {"temperature": 1.5, "top_p": 0.95, "seed": seed, "max_new_tokens": 12}
        return str(handler({"inputs": CHAT, "parameters": wanted})[0]["generated_text"])

    assert said(1) == said(1)
    assert len({said(seed) for seed in range(4)}) > 1


def test_a_stop_ends_the_answer(handler: EndpointHandler) -> None:
    whole = handler({"inputs": CHAT, "parameters": {"max_new_tokens": 12}})[0]["generated_text"]
    stop = whole[4:6]
    (cut,) = handler({"inputs": CHAT, "parameters": {"max_new_tokens": 12, "stop": [stop]}})
    assert cut["generated_text"] == whole[: whole.find(stop)]
    assert cut["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "inputs has to be"),
        ({"inputs": ""}, "inputs has to be"),
        ({"inputs": [{"role": "nobody", "content": "a"}]}, "roles system, user"),
        ({"inputs": "a", "parameters": []}, "has to be an object"),
        ({"inputs": "a", "parameters": {"beams": 2}}, "Unknown parameters: beams"),
        ({"inputs": "a", "parameters": {"max_new_tokens": 0}}, "max_new_tokens has to be a number from 1"),
        ({"inputs": "a", "parameters": {"temperature": True}}, "temperature has to be a number"),
        ({"inputs": "a", "parameters": {"temperature": float("nan")}}, "temperature has to be a number"),
        ({"inputs": "a", "parameters": {"stop": [""]}}, "stop has to be"),
        ({"inputs": "parcel " * 200}, "the model reads at most 128"),
    ],
)
def test_a_wrong_request_is_refused_in_words(handler: EndpointHandler, data: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        handler(data)


def test_without_a_template_a_conversation_is_refused(
    handler: EndpointHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler.tokenizer, "chat_template", None)
    with pytest.raises(ValueError, match="no chat template"):
        handler({"inputs": CHAT})


def test_it_needs_nothing_of_the_project() -> None:
    for file in Path(handed.__file__).parent.glob("*.py"):
        assert "import ftkit" not in file.read_text("utf-8")
        assert "from ftkit" not in file.read_text("utf-8")
