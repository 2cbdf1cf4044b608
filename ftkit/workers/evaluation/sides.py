"""The models of an evaluation, side by side: base, tuned and further runs over the same base model.

Takes the folders of the sides, gives groups that fit into one model in memory, and loads a group: base and adapters are one
model with all adapters on top; each whole model is a group of its own. It measures nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ftkit.workers.loading import (
    ADAPTER,
    BASE,
    is_adapter,
    load_model,
    load_with_adapter,
    mixes,
    quiet_peft,
    scale_adapter,
)


class Side(NamedTuple):
    """One model of an evaluation: its name in the samples, and the folder of what was tuned; None for the base model.

    Of an adapter, ``strength`` is the share of its change that is added.
    """

    name: str
    folder: Path | None
    strength: float = 1.0


class Panel:
    """Models in memory that answer for some sides."""

    def __init__(self, model: Any, adapters: dict[str, str], mixed: frozenset[str]) -> None:
        """One model.

        Args:
            model: a plain model, or a PEFT model with adapters.
            adapters: of a PEFT model, the name of the adapter of each side, ``BASE`` for none; empty for a plain one.
            mixed: sides that can answer in one batch.
        """
        self.model = model
        self._adapters = adapters
        self._mixed = mixed

    def mixing(self, sides: Sequence[Side]) -> list[Side]:
        """Those of the sides that can answer in one batch; none where that would be a single one."""
        found = [side for side in sides if side.name in self._mixed]
        return found if len(found) > 1 else []

    def adapters(self, sides: Sequence[Side]) -> list[str]:
        """The name of the adapter of each side in a mixed batch."""
        return [self._adapters[side.name] for side in sides]

    @contextmanager
    def as_side(self, side: Side) -> Iterator[Any]:
        """The model as one side alone has it."""
        adapter = self._adapters.get(side.name)
        if adapter is None:
            yield self.model
        elif adapter == BASE:
            with self.model.disable_adapter():
                yield self.model
        else:
            self.model.set_adapter(adapter)
            yield self.model


def groups(sides: Sequence[Side]) -> list[list[Side]]:
    """Sides that share one model in memory, in the order of the sides."""
    together = [side for side in sides if side.folder is None or is_adapter(side.folder)]
    alone = [[side] for side in sides if side.folder is not None and not is_adapter(side.folder)]
    return [*([together] if together else []), *alone]


def load_group(base: Path, sides: Sequence[Side]) -> Panel:
    """One of the ``groups`` in memory."""
    folders = {side.name: side.folder for side in sides if side.folder is not None}
    if not folders:
        return Panel(load_model(base), {}, frozenset())
    first, *more = folders.items()
    if not is_adapter(first[1]):
        return Panel(load_model(first[1]), {}, frozenset())
    model = load_with_adapter(base, first[1])
    adapters = {first[0]: ADAPTER}
    for number, (name, folder) in enumerate(more, start=1):
        adapters[name] = f"{ADAPTER}-{number}"
        with quiet_peft():
            model.load_adapter(str(folder), adapter_name=adapters[name], is_trainable=False)
    model.eval()
    for side in sides:
        if side.folder is not None:
            scale_adapter(model, adapters[side.name], side.strength)
    adapters |= {side.name: BASE for side in sides if side.folder is None}
    mixed = {side.name for side in sides if side.folder is None or mixes(side.folder)}
    return Panel(model, adapters, frozenset(mixed))
