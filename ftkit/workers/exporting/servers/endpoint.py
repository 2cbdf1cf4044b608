"""A folder for Hugging Face Inference Endpoints: the merged model with its ``handler.py``."""

import importlib.metadata
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

from ftkit.errors import WorkerFault
from ftkit.export.parity import Heard
from ftkit.workers.exporting import handed
from ftkit.workers.exporting.job import ExportJob, Verified
from ftkit.workers.exporting.parity.prompts import LONGEST_ANSWER, Prompt, prompts_of
from ftkit.workers.exporting.weights import merged_weights, write_card
from ftkit.workers.loading import give_back_memory

HANDED = Path(handed.__file__).parent
# With the versions that it was verified with.
_LIBRARIES = ("torch", "transformers", "safetensors")


class EndpointExporter:
    """Merged weights, ``handler.py`` and ``requirements.txt``."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Merge, and lay the handler beside it."""
        merged_weights(job, folder)
        write_card(job, folder)
        shutil.copyfile(HANDED / "handler.py", folder / "handler.py")
        (folder / "requirements.txt").write_text(requirements(), encoding="utf-8")

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Import the handler as the endpoint does, and ask it over its own requests."""
        handler = python_file(folder / "handler.py").EndpointHandler(str(folder))
        heard = by_handler(job, "endpoint", handler)
        refuses(handler)
        del handler
        give_back_memory()
        return Verified(("handler",), (heard,))


def requirements() -> str:
    """The libraries of the handler; a build of one for a kind of card counts as its version."""
    versions = {name: importlib.metadata.version(name).partition("+")[0] for name in _LIBRARIES}
    return "".join(f"{name}=={version}\n" for name, version in versions.items())


def python_file(path: Path) -> Any:
    """A Python file as a module that nobody else sees."""
    spec = importlib.util.spec_from_file_location(f"handed_over_{path.stem}", path)
    assert spec is not None  # noqa: S101 - it is a .py
    assert spec.loader is not None  # noqa: S101 - as above
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_handler(job: ExportJob, way: str, handler: Any) -> Heard:
    """The parity prompts as requests to a handler."""
    ids, texts = [], []
    for prompt in prompts_of(job):
        job.worker.raise_if_stopped()
        (answer,) = handler(json.loads(json.dumps(request(prompt))))
        ids.append(handler.token_ids(inputs(prompt)))
        texts.append(answer["generated_text"])
        job.worker.advance()
    return Heard(way, ids, texts, rounding=job.options.precision)


def inputs(prompt: Prompt) -> Any:
    """A conversation, or a text where the model takes none."""
    return prompt.messages or prompt.text


def request(prompt: Prompt) -> dict[str, Any]:
    """The body of a request."""
    return {"inputs": inputs(prompt), "parameters": {"max_new_tokens": LONGEST_ANSWER}}


def refuses(handler: Any) -> None:
    """See that a wrong request is refused.

    Raises:
        WorkerFault: it was answered.
    """
    for wrong in (
        {},
        {"inputs": "a", "parameters": {"unknown": 1}},
        {"inputs": [{"role": "nobody", "content": "a"}]},
    ):
        try:
            handler(wrong)
        except ValueError:
            continue
        raise WorkerFault(
            "export.handler_takes_all",
            "The handler answers a request that is wrong ({request}). Nothing was kept: report this.",
            request=json.dumps(wrong),
        )
