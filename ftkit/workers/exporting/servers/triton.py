"""A model repository for Triton Inference Server, with its Python backend."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

from ftkit.errors import WorkerFault
from ftkit.export.parity import Heard
from ftkit.workers.exporting.job import ExportJob, Verified
from ftkit.workers.exporting.parity.prompts import Prompt, prompts_of
from ftkit.workers.exporting.servers.endpoint import HANDED, inputs, python_file, request, requirements
from ftkit.workers.exporting.servers.stand_in import InferenceRequest, Tensor, standing_in
from ftkit.workers.exporting.weights import merged_weights, write_card
from ftkit.workers.loading import give_back_memory

_INPUTS = ("text_input", "messages", "parameters")
_OUTPUT = "text_output"
_CONFIG = """name: "{name}"
backend: "python"
max_batch_size: 0
input [
{inputs}
]
output [
  {{ name: "{output}" data_type: TYPE_STRING dims: [ 1 ] }}
]
instance_group [
  {{ count: 1 kind: KIND_AUTO }}
]
"""
_INPUT = '  {{ name: "{name}" data_type: TYPE_STRING dims: [ 1 ] optional: true }}'
_README = """# {name} for Triton Inference Server

Put this folder into a model repository, with the libraries of `requirements.txt` in Triton's Python, and start

    tritonserver --model-repository=$PWD

Ask it:

    curl localhost:8000/v2/models/{name}/infer -d '{{"inputs": [
      {{"name": "text_input", "shape": [1], "datatype": "BYTES", "data": ["Hello"]}},
      {{"name": "parameters", "shape": [1], "datatype": "BYTES", "data": ["{{\\"max_new_tokens\\": 64}}"]}}]}}'

`text_input` is a question of a user, or a plain text where the model has no chat template; `messages`, in its place, is a
conversation as JSON. `parameters` are those of `{name}/1/handler.py`.
"""


class TritonExporter:
    """``<name>/config.pbtxt`` and ``<name>/1/`` with the code and the weights."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Merge, and lay the repository out around it."""
        name = _name(job)
        version = folder / name / "1"
        version.mkdir(parents=True)
        merged_weights(job, version / "weights")
        write_card(job, version / "weights")
        shutil.copyfile(HANDED / "handler.py", version / "handler.py")
        shutil.copyfile(HANDED / "triton_model.py", version / "model.py")
        listed = ",\n".join(_INPUT.format(name=one) for one in _INPUTS)
        config = _CONFIG.format(name=name, inputs=listed, output=_OUTPUT)
        (folder / name / "config.pbtxt").write_text(config, encoding="utf-8")
        (folder / "requirements.txt").write_text(f"numpy\n{requirements()}", encoding="utf-8")
        (folder / "README.md").write_text(_README.format(name=name), encoding="utf-8")

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Run the model's code as Triton does, over the tensors of its configuration."""
        home = folder / _name(job)
        check_config((home / "config.pbtxt").read_text(encoding="utf-8"), _name(job))
        with standing_in():
            model = python_file(home / "1" / "model.py").TritonPythonModel()
            model.initialize({"model_name": home.name, "model_version": "1"})
            heard = _heard(job, model)
        del model
        give_back_memory()
        return Verified(("triton",), (heard,))


def _name(job: ExportJob) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "_", job.name).strip("_") or "model"


def _heard(job: ExportJob, model: Any) -> Heard:
    ids, texts = [], []
    (refused,) = model.execute([InferenceRequest([])])
    for prompt in prompts_of(job):
        job.worker.raise_if_stopped()
        (response,) = model.execute([InferenceRequest(_tensors(prompt))])
        if response.error is not None or refused.error is None:
            raise WorkerFault(
                "export.triton_fails",
                "The Triton model does not answer as it should ({reason}). Nothing was kept: report this.",
                reason=response.error.message() if response.error else "an empty request was answered",
            )
        texts.append(bytes(response.outputs[_OUTPUT].as_numpy()[0]).decode())
        ids.append(model.handler.token_ids(inputs(prompt)))
        job.worker.advance()
    return Heard("triton", ids, texts, rounding=job.options.precision)


def _tensors(prompt: Prompt) -> list[Tensor]:
    import numpy as np  # noqa: PLC0415 - needed here alone

    asked = request(prompt)
    said = ("messages", json.dumps(prompt.messages)) if prompt.messages else ("text_input", prompt.text)
    sent = (said, ("parameters", json.dumps(asked["parameters"])))
    return [Tensor(name, np.array([text.encode()], dtype=np.object_)) for name, text in sent]


def check_config(text: str, name: str) -> None:
    """See that a ``config.pbtxt`` can be read, and has the tensors of the code.

    Raises:
        WorkerFault: it has not.
    """
    tokens = re.findall(r'"[^"\n]*"|[A-Za-z_]\w*|-?\d+|[{}\[\]:,]', text)
    whole = re.sub(r"\s", "", text) == re.sub(r"\s", "", "".join(tokens))
    names = re.findall(r'name: "([^"]*)"', text)
    if not whole or not _balanced(tokens) or names != [name, *_INPUTS, _OUTPUT]:
        raise WorkerFault(
            "export.triton_config",
            "The configuration for Triton is not right (tensors: {names}). Nothing was kept: report this.",
            names=", ".join(names),
        )


def _balanced(tokens: list[str]) -> bool:
    open_: list[str] = []
    for sign in tokens:
        if sign in "{[":
            open_.append(sign)
        elif sign in "}]" and (not open_ or open_.pop() + sign not in {"{}", "[]"}):
            return False
    return not open_
