"""The worker that checks raw arguments against TRL's own config of a method; one question, one answer.

Takes names and values, gives an error for each one that TRL would not take. It trains nothing.
"""

import dataclasses
import difflib
import importlib.util
import tempfile
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, PydanticSchemaGenerationError, TypeAdapter, ValidationError
from transformers import Seq2SeqTrainingArguments

from ftkit.errors import BadInput, FtkitError, Refused
from ftkit.training.spec import RunSpec
from ftkit.workers.harness import answer
from ftkit.workers.training.arguments import CONFIGS, training_arguments


def check(question: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Errors as ``FtkitError.as_dict``, one per argument; none where TRL takes them all.

    Args:
        question: ``method``, ``encoder_decoder`` (whether the model is of the T5 kind) and ``extra_arguments``.
    """
    extra, encoder_decoder = question["extra_arguments"], question["encoder_decoder"]
    config = Seq2SeqTrainingArguments if encoder_decoder else CONFIGS[question["method"]]
    hints = typing.get_type_hints(config)
    known = {field.name for field in dataclasses.fields(config)}
    found = [one for name, value in extra.items() for one in _wrong(name, value, config, known, hints)]
    found = found or list(_refused(question, config))
    return [one.as_dict() for one in found]


def _wrong(
    name: str, value: Any, config: type, known: set[str], hints: Mapping[str, Any]
) -> Iterator[FtkitError]:
    """What the declaration of an argument says against a name or a value."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        if near:
            yield BadInput(
                "training.extra_unknown",
                "extra_arguments: {config} has no argument {name}. Did you mean {near}?",
                config=config.__name__,
                name=name,
                near=near[0],
            )
        else:
            yield BadInput(
                "training.extra_unlike_any",
                "extra_arguments: {config} has no argument {name}, nor one like it. Take it out.",
                config=config.__name__,
                name=name,
            )
    elif not _fits(value, hints[name]):
        yield BadInput(
            "training.extra_bad_value",
            "extra_arguments: {name} cannot be {value}. It takes: {kind}.",
            name=name,
            value=repr(value),
            kind=_kind(hints[name]),
        )
    elif name == "use_liger_kernel" and value and importlib.util.find_spec("liger_kernel") is None:
        yield Refused(
            "training.extra_no_package",
            "extra_arguments: {name} needs the package {package}, which is not installed here.",
            name=name,
            package="liger-kernel",
        )


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the declared kind; text in place of a mapping would be the path of a file."""
    if isinstance(value, str) and "dict" in _kind(hint):
        return False
    try:
        TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True, strict=True)).validate_python(value)
    except PydanticSchemaGenerationError:
        return True  # a class of a library's own: its config judges the value
    except ValidationError:
        return False
    return True


def _kind(hint: Any) -> str:
    """A type in short."""
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _refused(question: Mapping[str, Any], config: type) -> Iterator[FtkitError]:
    """What the config itself says when it is made with these arguments."""
    extra = dict(question["extra_arguments"])
    spec = RunSpec.parse({"method": question["method"], "bf16": False, "extra_arguments": extra})
    with tempfile.TemporaryDirectory() as folder:
        try:
            training_arguments(
                spec, Path(folder), validates=True, encoder_decoder=question["encoder_decoder"]
            )
        except (ValueError, TypeError, KeyError, AttributeError, ImportError, RuntimeError, OSError) as error:
            yield BadInput(
                "training.extra_refused",
                "extra_arguments: {config} does not take these values: {reason}",
                config=config.__name__,
                reason=" ".join(str(error).split())[:300],
            )


if __name__ == "__main__":
    answer(check)
