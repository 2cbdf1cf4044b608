"""The models that answer: which of them share one batch, and which are in memory.

Takes sides (a base model, perhaps with an adapter of some strength, or a whole tuned model), gives loaded models with the names of
the adapters in them. It answers nothing.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
from transformers import PreTrainedTokenizerBase

from ftkit.workers.loading import (
    BASE,
    give_back_memory,
    is_adapter,
    load_model,
    load_tokenizer,
    mixes,
    put_on,
    quiet_peft,
)
from ftkit.workers.training.rows import FastTokenizer

_MOST_ADAPTERS = 8
_HEADROOM = 2  # files may hold their weights in half the bytes that they have in memory


class Side(NamedTuple):
    """One model that answers.

    ``tuned`` is the folder of an adapter or of a whole tuned model, ``strength`` the share of the adapter's change.
    """

    name: str
    model: Path
    tuned: Path | None = None
    strength: float = 1.0

    @property
    def adapter(self) -> Path | None:
        """The adapter whose change is added; one of strength 0 is the base model."""
        return self.tuned if self.tuned is not None and is_adapter(self.tuned) and self.strength else None

    @property
    def weights(self) -> Path:
        """The folder of the whole model that it needs in memory."""
        return self.model if self.tuned is None or is_adapter(self.tuned) else self.tuned

    @property
    def mixes(self) -> bool:
        """Whether it can answer in one batch with others on the same weights."""
        return self.adapter is None or mixes(self.adapter)


def groups(sides: Sequence[Side]) -> list[list[int]]:
    """Places of sides that answer in one batch, in the order of the first of each."""
    found: dict[Any, list[int]] = {}
    for place, side in enumerate(sides):
        key = side.weights if side.mixes else (side.weights, place)
        found.setdefault(key, []).append(place)
    return list(found.values())


class Loaded:
    """One model in memory with its adapters."""

    def __init__(self, weights: Path, words: Path) -> None:
        """Load it.

        Args:
            weights: folder of the model.
            words: folder of the tokenizer.
        """
        self.model: Any = load_model(weights)
        self.tokenizer: PreTrainedTokenizerBase = load_tokenizer(words)
        self.encode = FastTokenizer(words)
        # Adapter folder, time of its weights and strength → name in the model, the one used last at the end.
        self._adapters: dict[tuple[Path, int, float], str] = {}
        self._made = 0

    @property
    def adapters(self) -> list[str]:
        """Names of the adapters in memory, the one used last at the end."""
        return list(self._adapters.values())

    @contextlib.contextmanager
    def as_sides(self, sides: Sequence[Side]) -> Iterator[list[str] | None]:
        """The model ready for one row of each side; gives the adapter of each row where they differ."""
        names = [self._name(side) for side in sides]
        if not self._adapters:
            yield None
        elif len(set(names)) > 1:
            yield names
        elif names[0] == BASE:
            with self.model.disable_adapter():
                yield None
        else:  # one adapter for all rows is faster than a batch of several
            self.model.set_adapter(names[0])
            yield None

    def _name(self, side: Side) -> str:
        folder = side.adapter
        if folder is None:
            return BASE
        key = (folder, (folder / "adapter_model.safetensors").stat().st_mtime_ns, side.strength)
        if key not in self._adapters:
            self._add(key)
        name = self._adapters.pop(key)
        self._adapters[key] = name
        return name

    def _add(self, key: tuple[Path, int, float]) -> None:
        folder, _, strength = key
        self._made += 1
        name = f"adapter-{self._made}"
        if self._made == 1:
            self.model = put_on(self.model, folder, name)
        else:
            with quiet_peft():
                self.model.load_adapter(str(folder), adapter_name=name, is_trainable=False)
        self.model.set_adapter(name)  # PEFT deletes no active adapter without complaint
        self.model.eval()
        for module in self.model.modules():
            scaling = getattr(module, "scaling", None)
            if isinstance(scaling, dict) and name in scaling:
                scaling[name] *= strength
        self._adapters[key] = name
        if len(self._adapters) > _MOST_ADAPTERS:
            self.model.delete_adapter(self._adapters.pop(next(iter(self._adapters))))


class Models:
    """What is in memory: the models of the request answered last, as far as they fit beside each other."""

    def __init__(self) -> None:
        # Folder and time of the weights → model, the one used last at the end.
        self._loaded: dict[tuple[Path, int], Loaded] = {}

    def ready(self, side: Side, together: Sequence[Side]) -> Loaded:
        """The model under a side; what none of ``together`` needs goes before another is loaded."""
        key = _key(side)
        if key not in self._loaded:
            needed = {_key(one) for one in together}
            for other in [one for one in self._loaded if one not in needed]:
                del self._loaded[other]
            while self._loaded and _HEADROOM * _file_bytes(side.weights) > _free_bytes():
                del self._loaded[next(iter(self._loaded))]
                give_back_memory()
            self._loaded[key] = Loaded(side.weights, side.model)
        found = self._loaded.pop(key)
        self._loaded[key] = found
        return found

    def folders(self) -> list[Path]:
        """Of the models in memory, the one used last at the end."""
        return [folder for folder, _ in self._loaded]


def _key(side: Side) -> tuple[Path, int]:
    return side.weights, max((file.stat().st_mtime_ns for file in _files(side.weights)), default=0)


def _files(folder: Path) -> list[Path]:
    return [*folder.glob("*.safetensors"), *folder.glob("*.gguf")]


def _file_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in _files(folder))


def _free_bytes() -> int:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)
