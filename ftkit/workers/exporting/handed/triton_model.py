"""The model for Triton's Python backend.

Each request has ``text_input``, a question of a user or a plain text, or ``messages``, a conversation as JSON, and if wanted
``parameters`` as JSON. ``text_output`` is the answer. The model is answered by ``handler.py`` beside this file.
"""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """What Triton loads, once for each instance."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model that lies in the folder ``weights`` beside this file."""
        here = Path(__file__).parent
        spec: Any = importlib.util.spec_from_file_location("handler", here / "handler.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.handler = module.EndpointHandler(str(here / "weights"))

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer the requests, one after another; what is wrong with one is its own error."""
        return [self._answered(request) for request in requests]

    def _answered(self, request: Any) -> Any:
        try:
            answer = self.handler(self._asked(request))[0]["generated_text"]
        except (ValueError, TypeError) as error:
            return pb_utils.InferenceResponse(error=pb_utils.TritonError(str(error)))
        output = pb_utils.Tensor("text_output", np.array([answer.encode()], dtype=np.object_))
        return pb_utils.InferenceResponse(output_tensors=[output])

    def _asked(self, request: Any) -> dict[str, Any]:
        text, messages = _text(request, "text_input"), _text(request, "messages")
        if (text is None) == (messages is None):
            raise ValueError("Send either text_input or messages.")
        parameters = json.loads(_text(request, "parameters") or "{}")
        if messages is not None:
            return {"inputs": json.loads(messages), "parameters": parameters}
        chats = bool(self.handler.tokenizer.chat_template)
        return {"inputs": [{"role": "user", "content": text}] if chats else text, "parameters": parameters}


def _text(request: Any, name: str) -> str | None:
    tensor = pb_utils.get_input_tensor_by_name(request, name)
    return None if tensor is None else bytes(tensor.as_numpy().reshape(-1)[0]).decode()
