"""Every error says what to do, in both languages, with the same values."""

import string

import yaml

from tests.contract.source import PACKAGE, raised_errors


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_error_speaks_turkish_too() -> None:
    turkish = yaml.safe_load((PACKAGE / "ui/i18n/tr/errors.yaml").read_text(encoding="utf-8"))
    english = {key: text for key, text, _ in raised_errors()}
    assert sorted(english.keys() - turkish.keys()) == []
    assert sorted(turkish.keys() - english.keys()) == []
    for key, text in english.items():
        assert placeholders(turkish[key]) == placeholders(text), key


def test_one_key_has_one_text() -> None:
    texts: dict[str, str] = {}
    for key, text, place in raised_errors():
        assert texts.setdefault(key, text) == text, f"{place}: {key} says something else elsewhere"
