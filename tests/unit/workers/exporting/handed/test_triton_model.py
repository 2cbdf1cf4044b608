"""The Triton model's code over a stand-in for what Triton brings along."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftkit.workers.exporting import handed
from ftkit.workers.exporting.servers.endpoint import python_file
from ftkit.workers.exporting.servers.stand_in import InferenceRequest, Tensor, standing_in
from tests.tiny import make_tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    version = tmp_path_factory.mktemp("triton") / "tiny" / "1"
    make_tiny_model(version / "weights")
    here = Path(handed.__file__).parent
    shutil.copyfile(here / "handler.py", version / "handler.py")
    shutil.copyfile(here / "triton_model.py", version / "model.py")
    with standing_in():
        found = python_file(version / "model.py").TritonPythonModel()
        found.initialize({})
        yield found
    assert "triton_python_backend_utils" not in sys.modules


def request(**texts: str) -> InferenceRequest:
    return InferenceRequest(
        [Tensor(name, np.array([text.encode()], dtype=np.object_)) for name, text in texts.items()]
    )


def answer(response: Any) -> str:
    return response.outputs["text_output"].as_numpy()[0].decode()


def test_requests_are_answered_in_their_order(model: Any) -> None:
    few = json.dumps({"max_new_tokens": 8})
    question = request(text_input="My parcel is late. Ne zaman gelir?", parameters=few)
    chat = request(
        messages=json.dumps([{"role": "user", "content": "My parcel is late. Ne zaman gelir?"}]),
        parameters=few,
    )
    other = request(text_input="I was charged twice", parameters=few)
    said = [answer(one) for one in model.execute([question, other, chat])]
    assert said[0] == said[2] != said[1]
    asked = {
        "inputs": [{"role": "user", "content": "I was charged twice"}],
        "parameters": {"max_new_tokens": 8},
    }
    assert said[1] == model.handler(asked)[0]["generated_text"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({}, "either text_input or messages"),
        ({"text_input": "a", "messages": "[]"}, "either text_input or messages"),
        ({"messages": "{"}, "Expecting"),
        ({"text_input": "a", "parameters": '{"beams": 1}'}, "Unknown parameters"),
        ({"text_input": "a", "parameters": "[1]"}, "has to be an object"),
    ],
)
def test_a_wrong_request_spoils_no_other(model: Any, texts: dict, said: str) -> None:
    good = request(text_input="a", parameters='{"max_new_tokens": 2}')
    first, second = model.execute([request(**texts), good])
    assert said in first.error.message()
    assert second.error is None
