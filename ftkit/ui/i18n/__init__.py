"""The catalogues: every text of the dashboard in English and Turkish.

Reads ``<language>/*.yaml`` (flat ``page.key: text``), gives ``t`` for texts that the browser translates and ``say`` for
texts that a handler makes. Labels and help of the run options come from ``RunSpec`` itself, those of the cleaning steps from their models. It does not decide which
language a person reads: the cookie and the browser do.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

import gradio as gr
import yaml
from gradio.i18n import I18nData

from ftkit.data.clean import STEPS
from ftkit.data.cleaning.steps import Step, choices_of
from ftkit.data.phrases import translate
from ftkit.errors import FtkitError
from ftkit.training.spec import RunSpec

LANGUAGES: Mapping[str, str] = {"en": "English", "tr": "Türkçe"}
DEFAULT = "en"
COOKIE = "ftkit_lang"

_FOLDER = Path(__file__).parent
_ERRORS, _PHRASES = "errors", "phrases"  # their English stands where they are made, so they are no page texts
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster than the pure Python one


class Caller(Protocol):
    """What ``language`` needs of a request, Gradio's or Starlette's."""

    @property
    def cookies(self) -> Mapping[str, str]: ...  # noqa: D102 - named by the protocol
    @property
    def headers(self) -> Mapping[str, str]: ...  # noqa: D102 - named by the protocol


def t(key: str) -> I18nData:
    """A marker that becomes the text: for component texts only, and in updates of a handler one per string.

    Raises:
        KeyError: the English catalogue has no such key.
    """
    catalogue(DEFAULT)[key]
    return I18nData(key)


def say(key: str, lang: str, **values: object) -> str:
    """The text itself, for what a handler makes: tables, titles, toasts, HTML.

    Raises:
        KeyError: the English catalogue has no such key.
    """
    text = catalogue(lang)[key]
    return text.format(**values) if values else text


def say_error(error: FtkitError, lang: str) -> str:
    """An error in the reader's language; in English where it has no translation."""
    text = error_catalogue(lang).get(error.key, error.text)
    return text.format(**{name: _say_value(value, lang) for name, value in error.values.items()})


def _say_value(value: object, lang: str) -> object:
    if isinstance(value, FtkitError):
        return say_error(value, lang)
    if isinstance(value, float) and lang == "tr":
        return str(value).replace(".", ",")
    return say_phrase(value, lang) if isinstance(value, str) else value


def say_phrase(text: str, lang: str) -> str:
    """A reason or a note of the data room in the reader's language; any other text comes back as it is."""
    return translate(text, _separate(_PHRASES, lang))


def language(request: Caller | None) -> str:
    """The language of a caller: the chosen one, else the first of the browser's that we have, else English."""
    if request is None:
        return DEFAULT
    chosen = request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    wanted = request.headers.get("accept-language", "").lower().split(",")
    return next((entry.strip()[:2] for entry in wanted if entry.strip()[:2] in LANGUAGES), DEFAULT)


def browser_catalogue() -> gr.I18n:
    """Both catalogues in the form that Gradio sends to the browser."""
    return gr.I18n(**{lang: dict(catalogue(lang)) for lang in LANGUAGES})


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """Every text of a language by key; a text that is not translated stands in English."""
    if lang != DEFAULT:
        return {**catalogue(DEFAULT), **_read(lang)}
    return {**_read(DEFAULT), **dict(_spec_texts()), **dict(_step_texts())}


def error_catalogue(lang: str) -> Mapping[str, str]:
    """Translated error sentences by key; empty for English, which stands where the error is raised."""
    return _separate(_ERRORS, lang)


@cache
def _separate(name: str, lang: str) -> Mapping[str, str]:
    path = _FOLDER / lang / f"{name}.yaml"
    return _texts(path) if path.exists() else {}


def _read(lang: str) -> dict[str, str]:
    texts: dict[str, str] = {}
    for path in sorted((_FOLDER / lang).glob("*.yaml")):
        if path.stem in {_ERRORS, _PHRASES}:
            continue
        found = _texts(path)
        if twice := texts.keys() & found.keys():
            raise ValueError(f"{path}: {sorted(twice)} stand in another file already")
        texts |= found
    return texts


def _texts(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=_LOADER) or {}  # noqa: S506 - a safe loader either way


def _spec_texts() -> Iterator[tuple[str, str]]:
    for name, field in RunSpec.model_fields.items():
        yield f"spec.{name}.label", field.title or name
        yield f"spec.{name}.help", field.description or ""


def step_field_key(kind: type[Step], name: str) -> str:
    """Where the texts of a step's field stand; fields that several steps inherit have one place."""
    own = name in kind.__annotations__
    return f"steps.{kind.model_fields['step'].default if own else 'any'}.{name}"


def _step_texts() -> Iterator[tuple[str, str]]:
    for step, kind in STEPS.items():
        yield f"steps.{step}.title", kind.title
        yield f"steps.{step}.help", kind.help
        for name, field in kind.model_fields.items():
            if name == "step":
                continue
            key = step_field_key(kind, name)
            yield f"{key}.label", field.title or name
            yield f"{key}.help", field.description or ""
            for choice, text in choices_of(field).items():
                yield f"{key}.{choice}", text
