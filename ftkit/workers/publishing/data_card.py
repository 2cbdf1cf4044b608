"""The card of the data that a model was trained on: what kind of rows, how many, how they were split; none of them.

Takes the split's manifest and the dataset's record as plain values, gives Markdown. It reads nothing.
"""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import DatasetCard, DatasetCardData

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def data_card(name: str, data: Mapping[str, Any]) -> DatasetCard:
    """The card.

    Args:
        name: of the model.
        data: ``split`` id and ``hash``; where they are known, ``sizes`` by part, ``seed``, ``method``, ``leaks``, ``mapping``
            (role to column), ``license``, ``languages`` and ``left_out``.
    """
    sizes: Mapping[str, int] = data.get("sizes") or {}
    rows = sum(sizes.values())
    about = DatasetCardData(
        license=str(data.get("license") or "").lower() or None,
        task_categories=["text-generation"],
        size_categories=[next((word for most, word in _SIZES if rows < most), "n>1M")] if rows else None,
        tags=["ftkit"],
    )
    facts = [
        ("Rows", f"{rows:,}" if rows else "unknown"),
        *((f"Rows in the {part} part", f"{count:,}") for part, count in sizes.items()),
        ("Rows that could not be trained on", data.get("left_out")),
        ("Rows that are in two parts alike", data.get("leaks")),
        ("Seed of the split", data.get("seed")),
        ("Id of the split", f"`{data['split']}`"),
        ("Hash of its content", f"`{data['hash']}`"),
    ]
    table = "\n".join(f"| {key} | {value} |" for key, value in facts if value is not None)
    roles = ", ".join(f"{role}" for role in data.get("mapping") or {}) or "unknown"
    text = f"""# Data of {name}

The rows themselves are not published. This card says what they are, so that a reader of the model card knows what the model has
seen, and so that whoever has the rows can see by the hash that they are the same.

## In numbers

| | |
|---|---|
{table}

## What a row has

{roles}

## What it may be used for

The model that goes with this card was trained on the train part alone; the validation part chose among its states, and the test
part is for measuring it.
"""
    return DatasetCard(f"---\n{about.to_yaml()}\n---\n\n{text}")
