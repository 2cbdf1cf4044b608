"""As much of ``triton_python_backend_utils`` as a Python model needs: Triton brings it along, and nothing else has it.

It lets the verification run a model's own code without Triton. It starts no server.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_NAME = "triton_python_backend_utils"


class Tensor:
    """A named array."""

    def __init__(self, name: str, values: Any) -> None:
        self._name, self._values = name, values

    def name(self) -> str:
        """Its name in ``config.pbtxt``."""
        return self._name

    def as_numpy(self) -> Any:
        """Its values."""
        return self._values


class TritonError:
    """Why one request failed."""

    def __init__(self, message: str) -> None:
        self._message = message

    def message(self) -> str:
        """In words."""
        return self._message


class InferenceRequest:
    """The inputs of one request."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        self.tensors: Mapping[str, Tensor] = {tensor.name(): tensor for tensor in inputs}


class InferenceResponse:
    """The outputs of one request, or its error."""

    def __init__(self, output_tensors: Sequence[Tensor] = (), error: TritonError | None = None) -> None:
        self.outputs: Mapping[str, Tensor] = {tensor.name(): tensor for tensor in output_tensors}
        self.error = error


def get_input_tensor_by_name(request: InferenceRequest, name: str) -> Tensor | None:
    """An input of a request; None where it was not sent."""
    return request.tensors.get(name)


@contextmanager
def standing_in() -> Iterator[None]:
    """Let ``import triton_python_backend_utils`` find this."""
    module: Any = ModuleType(_NAME)
    module.Tensor, module.TritonError = Tensor, TritonError
    module.InferenceRequest, module.InferenceResponse = InferenceRequest, InferenceResponse
    module.get_input_tensor_by_name = get_input_tensor_by_name
    former = sys.modules.get(_NAME)
    sys.modules[_NAME] = module
    try:
        yield
    finally:
        sys.modules.pop(_NAME, None)
        if former is not None:
            sys.modules[_NAME] = former
