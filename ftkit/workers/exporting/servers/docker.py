"""A folder to build a container from: the merged model in vLLM or Text Generation Inference, which both speak OpenAI's protocol.

No container is started here: the files are checked against each other, and the weights are loaded as the server loads them.
"""

import json
import re
from pathlib import Path
from typing import Any

import torch
import yaml

from ftkit.errors import Refused, WorkerFault
from ftkit.models.kinds import is_encoder_decoder
from ftkit.workers.exporting.job import ExportJob, Verified
from ftkit.workers.exporting.parity.ways import by_transformers
from ftkit.workers.exporting.weights import merged_weights, write_card
from ftkit.workers.loading import load_model

IMAGES = {
    "vllm": "vllm/vllm-openai:v0.33.0",
    "tgi": "ghcr.io/huggingface/text-generation-inference:3.3.5",
}
_KEYS = {"vllm": "VLLM_API_KEY", "tgi": "API_KEY"}
_PORT = 8000
_STARTS: dict[str, tuple[list[str], list[str]]] = {
    "vllm": (["vllm", "serve"], ["/model", "--served-model-name", "{name}", "--port", str(_PORT)]),
    "tgi": (["text-generation-launcher"], ["--model-id", "/model", "--port", str(_PORT)]),
}
_HEALTH = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{_PORT}/health', timeout=4)"
_DOCKERFILE = """# {name}, made with ftkit: {server} with the model inside. Build and start it with: docker compose up
FROM {image}
COPY model /model
ENV HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 DO_NOT_TRACK=1
EXPOSE {port}
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=4 CMD {health}
ENTRYPOINT {entry}
CMD {command}
"""
_ENV = """# Copy this file to .env and set API_KEY to a long random text: whoever knows it may ask the model.
API_KEY=
# Address and port on this machine; 0.0.0.0 is open to the whole network.
ADDRESS=127.0.0.1
PORT=8000
"""
_README = """# {name} in a container

A machine with Docker, its compose plugin and an NVIDIA card with the container toolkit:

    cp .env.example .env      # then set API_KEY in it
    docker compose up --build --detach
    docker compose ps         # until it is “healthy”

Ask it as any model behind OpenAI's protocol:

    curl http://127.0.0.1:8000/v1/{path} -H "Authorization: Bearer $API_KEY" -H "Content-Type: application/json" \\
      -d '{body}'
{note}
The image is `{image}`; other versions of it may take other options.
"""
_NO_TEMPLATE = (
    "\nThis model has no chat template: it goes on with a text, and `/v1/chat/completions` is refused.\n"
)
_INSTRUCTIONS = frozenset({"FROM", "COPY", "ENV", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"})


class DockerExporter:
    """``Dockerfile``, ``compose.yaml``, ``.env.example`` and ``model/``."""

    def build(self, job: ExportJob, folder: Path) -> None:
        """Merge, and write what the container is built from.

        Raises:
            Refused: the server does not take this kind of model.
        """
        check_server(job)
        model = folder / "model"
        merged_weights(job, model)
        write_card(job, model)
        name, server = image_name(job.name), job.options.server
        entry, command = _STARTS[server]
        dockerfile = _DOCKERFILE.format(
            name=name,
            server=server,
            image=IMAGES[server],
            port=_PORT,
            health=json.dumps(["python3", "-c", _HEALTH]),
            entry=json.dumps(entry),
            command=json.dumps([word.format(name=name) for word in command]),
        )
        (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        compose = yaml.safe_dump(_compose(name, server), sort_keys=False)
        (folder / "compose.yaml").write_text(compose, encoding="utf-8")
        (folder / ".env.example").write_text(_ENV, encoding="utf-8")
        (folder / ".dockerignore").write_text(".env\n", encoding="utf-8")
        (folder / "README.md").write_text(_readme(name, server, model), encoding="utf-8")

    def verify(self, job: ExportJob, folder: Path) -> Verified:
        """Read the files as Docker does, and load the model."""
        wrong = mistakes(folder)
        if wrong:
            raise WorkerFault(
                "export.docker_files",
                "The files for Docker do not fit together ({wrong}). Nothing was kept: report this.",
                wrong="; ".join(wrong),
            )
        model = load_model(folder / "model", torch.float32)
        heard = by_transformers(job, "docker", model, folder / "model", job.options.precision)
        return Verified(("docker_files", "transformers"), (heard,), {"image": IMAGES[job.options.server]})


def check_server(job: ExportJob) -> None:
    """See that the server takes the model.

    Raises:
        Refused: it does not.
    """
    if job.options.server == "vllm" and is_encoder_decoder(job.model):
        raise Refused(
            "export.no_vllm",
            "vLLM serves no encoder-decoder models such as {model}. Choose Text Generation Inference as the server, or export "
            "an inference endpoint.",
            model=job.base.get("name", job.model.name),
        )


def image_name(name: str) -> str:
    """A name that Docker takes for an image."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "model"


def _compose(name: str, server: str) -> dict[str, Any]:
    card = {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    return {
        "services": {
            "model": {
                "build": ".",
                "image": f"ftkit/{name}",
                "restart": "unless-stopped",
                "ports": [f"${{ADDRESS:-127.0.0.1}}:${{PORT:-8000}}:{_PORT}"],
                "environment": {_KEYS[server]: "${API_KEY:?Set API_KEY in the file .env}"},
                "shm_size": "1gb",
                "security_opt": ["no-new-privileges:true"],
                "deploy": {"resources": {"reservations": {"devices": [card]}}},
            }
        }
    }


def _readme(name: str, server: str, model: Path) -> str:
    chats = (model / "chat_template.jinja").exists() or "chat_template" in json.loads(
        (model / "tokenizer_config.json").read_bytes()
    )
    named = name if server == "vllm" else "tgi"
    asked: dict[str, Any] = (
        {"messages": [{"role": "user", "content": "Hello"}]} if chats else {"prompt": "Hello"}
    )
    return _README.format(
        name=name,
        path="chat/completions" if chats else "completions",
        body=json.dumps({"model": named, **asked, "max_tokens": 64}),
        note="" if chats else _NO_TEMPLATE,
        image=IMAGES[server],
    )


def mistakes(folder: Path) -> list[str]:
    """What Docker would stumble over; nothing where all is well."""
    wrong = []
    lines = [
        line for line in (folder / "Dockerfile").read_text("utf-8").splitlines() if line and line[0] != "#"
    ]
    words = [line.split(maxsplit=1) for line in lines]
    if {word[0] for word in words} != _INSTRUCTIONS or words[0][0] != "FROM":
        wrong.append("Dockerfile: " + " ".join(word[0] for word in words))
    for instruction, rest in words:
        if instruction == "COPY" and not (folder / rest.split()[0]).is_dir():
            wrong.append(f"COPY {rest}")
        if instruction in {"ENTRYPOINT", "CMD"} and not _is_words(rest):
            wrong.append(f"{instruction} {rest}")
    compose = (folder / "compose.yaml").read_text("utf-8")
    service = yaml.safe_load(compose)["services"]["model"]
    if service["build"] != "." or not service["ports"][0].endswith(f":{_PORT}"):
        wrong.append("compose.yaml")
    known = set(re.findall(r"^(\w+)=", (folder / ".env.example").read_text("utf-8"), re.MULTILINE))
    wrong += [f"${name}" for name in re.findall(r"\$\{(\w+)", compose) if name not in known]
    if not (folder / "model" / "config.json").exists() or not list((folder / "model").glob("*.safetensors")):
        wrong.append("model")
    return wrong


def _is_words(text: str) -> bool:
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, list) and all(isinstance(one, str) for one in found)
