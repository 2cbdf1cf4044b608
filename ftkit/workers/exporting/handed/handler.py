"""Answers of the model in this folder, for Hugging Face Inference Endpoints and any other server that calls ``EndpointHandler``.

    {"inputs": [{"role": "user", "content": "Hello"}], "parameters": {"max_new_tokens": 64}}

``inputs`` is a conversation, which the model's chat template writes down, or a plain text, which the model goes on with. The answer
is ``[{"generated_text", "finish_reason", "prompt_tokens", "generated_tokens"}]``. It reads safetensors only, runs no code of the
model and downloads nothing.
"""

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
)

MOST_TOKENS = 4096
# parameter → its default, the lowest and the highest value.
LIMITS: dict[str, tuple[float, float, float]] = {
    "max_new_tokens": (256, 1, MOST_TOKENS),
    "temperature": (0, 0, 2),
    "top_p": (1, 0.01, 1),
    "seed": (0, 0, 2**31),
}
ROLES = ("system", "user", "assistant", "tool")


class EndpointHandler:
    """The model, loaded once; call it with a request."""

    def __init__(self, path: str = "") -> None:
        """Load the model.

        Args:
            path: folder with config, safetensors and tokenizer; that of this file where empty.
        """
        folder = path or str(Path(__file__).parent)
        here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        config: Any = AutoConfig.from_pretrained(folder, **here)
        self.writes_anew = bool(config.is_encoder_decoder)
        kind: Any = AutoModelForSeq2SeqLM if self.writes_anew else AutoModelForCausalLM
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, **here)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model: Any = (
            kind.from_pretrained(folder, dtype="auto", use_safetensors=True, **here).to(device).eval()
        )
        places = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
        self.context = 2**31 if self.writes_anew else int(places or 2**31)
        self.ends = _ends(self.model, self.tokenizer)

    def __call__(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """Answer one request.

        Args:
            data: ``inputs`` and, if wanted, ``parameters``: ``max_new_tokens``, ``temperature`` (0 takes the likeliest token each
                time), ``top_p``, ``seed``, ``stop`` (texts that end the answer).

        Raises:
            ValueError: the request is wrong; the text says what of it.
        """
        wanted = _parameters(data.get("parameters"))
        ids = self.token_ids(data.get("inputs"))
        room = self.context if self.writes_anew else self.context - len(ids)
        if room < 1:
            raise ValueError(f"The prompt has {len(ids)} tokens, and the model reads at most {self.context}.")
        made = self._generate(ids, min(int(wanted["max_new_tokens"]), room), wanted)
        ended = next((place for place, token in enumerate(made) if token in self.ends), None)
        answer = made if ended is None else made[:ended]
        text, stopped = _cut(self.tokenizer.decode(answer, skip_special_tokens=True), wanted["stop"])
        return [
            {
                "generated_text": text,
                "finish_reason": "length" if ended is None and not stopped else "stop",
                "prompt_tokens": len(ids),
                "generated_tokens": len(answer),
            }
        ]

    def token_ids(self, inputs: Any) -> list[int]:
        """The prompt as the model reads it.

        Raises:
            ValueError: it is neither a text nor a conversation.
        """
        if isinstance(inputs, str) and inputs:
            return [int(token) for token in self.tokenizer(inputs)["input_ids"]]
        if not isinstance(inputs, list) or not inputs or not all(_is_turn(turn) for turn in inputs):
            raise ValueError(
                'inputs has to be a text, or a list of {"role": "user", "content": "…"} with the roles '
                + ", ".join(ROLES)
            )
        if not self.tokenizer.chat_template:
            raise ValueError("This model has no chat template: send a plain text as inputs.")
        made = self.tokenizer.apply_chat_template(
            inputs, tokenize=True, add_generation_prompt=True, return_dict=False
        )
        return [int(token) for token in made]

    @torch.inference_mode()
    def _generate(self, ids: list[int], limit: int, wanted: dict[str, Any]) -> list[int]:
        given = torch.tensor([ids], device=self.model.device)
        config: Any = GenerationConfig  # transformers leaves it untyped
        sampling = {"temperature": wanted["temperature"], "top_p": wanted["top_p"], "top_k": 0}
        settings = config(
            do_sample=wanted["temperature"] > 0,
            max_new_tokens=limit,
            eos_token_id=self.ends,
            pad_token_id=self.ends[0] if self.tokenizer.pad_token_id is None else self.tokenizer.pad_token_id,
            decoder_start_token_id=getattr(self.model.config, "decoder_start_token_id", None),
            repetition_penalty=1.0,
            **(sampling if wanted["temperature"] > 0 else {}),
        )
        if wanted["temperature"] > 0:
            torch.manual_seed(int(wanted["seed"]))
        made = self.model.generate(
            input_ids=given, attention_mask=torch.ones_like(given), generation_config=settings
        )
        return [int(token) for token in made[0].tolist()[1 if self.writes_anew else len(ids) :]]


def _ends(model: Any, tokenizer: Any) -> list[int]:
    own = model.generation_config.eos_token_id if model.generation_config else model.config.eos_token_id
    found = own if isinstance(own, list) else [own]
    return sorted({token for token in [*found, tokenizer.eos_token_id] if token is not None})


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and turn.get("role") in ROLES and isinstance(turn.get("content"), str)


def _parameters(given: Any) -> dict[str, Any]:
    given = {} if given is None else given
    if not isinstance(given, dict):
        raise ValueError("parameters has to be an object.")  # noqa: TRY004 - servers turn this error into a reply
    unknown = sorted(set(given) - {*LIMITS, "stop"})
    if unknown:
        raise ValueError(
            f"Unknown parameters: {', '.join(map(str, unknown))}. There are: {', '.join(LIMITS)}, stop."
        )
    found: dict[str, Any] = {}
    for name, (default, low, high) in LIMITS.items():
        value = given.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{name} has to be a number from {low:g} to {high:g}.")
        found[name] = value
    stop = given.get("stop") or []
    found["stop"] = [stop] if isinstance(stop, str) else stop
    if not isinstance(found["stop"], list) or not all(
        isinstance(text, str) and text for text in found["stop"]
    ):
        raise ValueError("stop has to be a text or a list of texts.")
    return found


def _cut(text: str, stops: list[str]) -> tuple[str, bool]:
    """The text up to the first of the stops, and whether there was one."""
    places = [place for place in (text.find(stop) for stop in stops) if place >= 0]
    return (text[: min(places)], True) if places else (text, False)
