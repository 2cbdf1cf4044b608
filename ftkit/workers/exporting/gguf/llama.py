"""llama.cpp itself, asked the parity prompts over its own server on a port of this machine.

Takes a GGUF file, gives what was heard. It is an extra: without the package ``xllamacpp`` this way is left out.
"""

import secrets
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from ftkit.export.parity import Heard, Rounding
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.exporting.parity.prompts import LONGEST_ANSWER, Prompt, prompts_of

_SECONDS = 300.0
_ROOM = 64  # tokens beside prompt and answer


def installed() -> bool:
    """Whether llama.cpp can be asked here."""
    return find_spec("xllamacpp") is not None


def by_llama_cpp(job: ExportJob, file: Path, rounding: Rounding) -> Heard:
    """What llama.cpp makes of the prompts with the file's own template and tokenizer, and its greedy answers."""
    import xllamacpp  # noqa: PLC0415 - an extra

    prompts = prompts_of(job)
    key = secrets.token_urlsafe()
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.n_ctx = max(len(prompt.ids) for prompt in prompts) + LONGEST_ANSWER + _ROOM
    params.n_parallel, params.warmup, params.api_keys = 1, False, [key]
    server = xllamacpp.Server(params)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(
        base_url=server.listening_address, headers=headers, timeout=_SECONDS, trust_env=False
    ) as http:
        ids, texts, answers = [], [], []
        for prompt in prompts:
            job.worker.raise_if_stopped()
            ids.append(_token_ids(http, prompt))
            said = _post(
                http,
                "/completion",
                prompt=prompt.ids,
                n_predict=LONGEST_ANSWER,
                temperature=0,
                return_tokens=True,
            )
            texts.append(said["content"])
            answers.append([int(token) for token in said["tokens"]])
            job.worker.advance()
    del server  # ends its threads
    return Heard("llama.cpp", ids, texts, answers, rounding)


def _token_ids(http: httpx.Client, prompt: Prompt) -> list[int]:
    text = prompt.text
    if prompt.messages:
        text = _post(http, "/apply-template", messages=prompt.messages)["prompt"]
    made = _post(http, "/tokenize", content=text, add_special=not prompt.messages, parse_special=True)
    return [int(token) for token in made["tokens"]]


def _post(http: httpx.Client, path: str, **asked: Any) -> dict[str, Any]:
    answer = http.post(path, json=asked)
    answer.raise_for_status()
    value: dict[str, Any] = answer.json()
    return value
