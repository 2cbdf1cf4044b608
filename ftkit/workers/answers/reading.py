"""What a model has read of the rows of a batch: the cache of each, which rows join and leave between two tokens.

Takes token ids, gives the scores of the next token of each row. It chooses no token.
"""

import inspect
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import DynamicCache, PreTrainedTokenizerBase
from transformers.cache_utils import DynamicLayer

from ftkit.workers.generation import left_padded

Adapters = Sequence[str] | None


class Reading(Protocol):
    """The rows that a model has read."""

    most: int

    def join(self, prompts: Sequence[list[int]], adapters: Adapters) -> torch.Tensor:
        """Read more rows; gives the scores of the first token of each."""
        ...

    def go_on(self, tokens: Sequence[int], adapters: Adapters) -> torch.Tensor:
        """Read one more token of each row; gives the scores of the next."""
        ...

    def keep(self, places: Sequence[int]) -> None:
        """Forget all rows but these."""
        ...


def reading_of(model: Any, tokenizer: PreTrainedTokenizerBase, most: int) -> Reading:
    """For a model; at most ``most`` rows, fewer where its cache cannot be put together and divided."""
    return Alone(model) if model.config.is_encoder_decoder else Together(model, tokenizer, most)


class Together:
    """Rows of a model that goes on from its prompt. Rows that came later are padded on the left, in their cache too."""

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerBase, most: int) -> None:
        self._model, self._tokenizer = model, tokenizer
        takes = inspect.signature(_inner(model).forward).parameters
        self._places = "position_ids" in takes
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        self._cache = self._new_cache()
        divides = all(type(layer) is DynamicLayer for layer in self._cache.layers)
        self.most = most if divides else 1
        self._mask = torch.zeros((0, 0), dtype=torch.long, device=model.device)

    def join(self, prompts: Sequence[list[int]], adapters: Adapters) -> torch.Tensor:
        """Read more rows; gives the scores of the first token of each."""
        padded = left_padded(prompts, self._tokenizer, self._model.device)
        cache = self._new_cache()
        scores = self._read(padded["input_ids"], padded["attention_mask"], cache, adapters)
        if not len(self._mask):
            self._cache, self._mask = cache, padded["attention_mask"]
            return scores
        width = max(self._mask.shape[1], padded["attention_mask"].shape[1])
        for mine, added in zip(self._cache.layers, cache.layers, strict=True):
            mine.keys = torch.cat([_widened(mine.keys, width), _widened(added.keys, width)])
            mine.values = torch.cat([_widened(mine.values, width), _widened(added.values, width)])
        masks = [
            torch.nn.functional.pad(mask, (width - mask.shape[1], 0))
            for mask in (self._mask, padded["attention_mask"])
        ]
        self._mask = torch.cat(masks)
        return scores

    def go_on(self, tokens: Sequence[int], adapters: Adapters) -> torch.Tensor:
        """Read one more token of each row; gives the scores of the next."""
        self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        ids = torch.tensor(tokens, device=self._mask.device)[:, None]
        return self._read(ids, self._mask, self._cache, adapters)

    def keep(self, places: Sequence[int]) -> None:
        """Forget all rows but these, and the padding that only the others needed."""
        if not places:
            self._mask = self._mask[:0, :0]
            self._cache = self._new_cache()
            return
        kept = torch.tensor(places, device=self._mask.device)
        mask = self._mask[kept]
        blank = int((mask.sum(0) > 0).int().argmax())
        self._mask = mask[:, blank:]
        if self.most == 1:
            return
        for layer in self._cache.layers:
            layer.keys, layer.values = layer.keys[kept, :, blank:], layer.values[kept, :, blank:]

    def _read(self, ids: torch.Tensor, mask: torch.Tensor, cache: Any, adapters: Adapters) -> torch.Tensor:
        more: dict[str, Any] = {} if adapters is None else {"adapter_names": list(adapters)}
        if self._places:
            more["position_ids"] = (mask.cumsum(-1) - 1).clamp_min(0)[:, -ids.shape[1] :]
        made = self._model(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=cache,
            use_cache=True,
            **self._last_only,
            **more,
        )
        scores: torch.Tensor = made.logits[:, -1]
        return scores

    def _new_cache(self) -> Any:
        return DynamicCache(config=self._model.config)


class Alone:
    """One row of an encoder-decoder model: the encoder reads the prompt, the decoder goes on from a start token of its own."""

    most = 1

    def __init__(self, model: Any) -> None:
        self._model = model
        self._read: Any = None
        self._cache: Any = None

    def join(self, prompts: Sequence[list[int]], adapters: Adapters) -> torch.Tensor:
        """Read the one row; gives the scores of its first token."""
        ids = torch.tensor(list(prompts), device=self._model.device)
        self._read, self._cache = self._model.get_encoder()(input_ids=ids), None
        return self.go_on([self._model.config.decoder_start_token_id], adapters)

    def go_on(self, tokens: Sequence[int], adapters: Adapters) -> torch.Tensor:
        """Read one more token; gives the scores of the next."""
        assert adapters is None, "one row has one adapter"  # noqa: S101
        made = self._model(
            encoder_outputs=self._read,
            decoder_input_ids=torch.tensor([list(tokens)], device=self._model.device),
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache = made.past_key_values
        scores: torch.Tensor = made.logits[:, -1]
        return scores

    def keep(self, places: Sequence[int]) -> None:
        """Forget the row, unless it is kept."""
        if not places:
            self._read = self._cache = None


def _inner(model: Any) -> Any:
    """The model under its adapters, whose arguments can be read."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _widened(states: torch.Tensor, width: int) -> torch.Tensor:
    return torch.nn.functional.pad(states, (0, 0, width - states.shape[-2], 0))
