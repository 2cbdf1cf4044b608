import ast
import re
import string
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from ftkit import errors
from ftkit.data.phrases import PHRASES
from ftkit.errors import BadInput
from ftkit.training.spec import RunSpec
from ftkit.ui import i18n
from ftkit.ui.i18n import LANGUAGES, catalogue, error_catalogue, language, say, say_error, t

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "ftkit" / "ui" / "i18n"
FROM_THE_SPEC = "spec"  # its English stands in RunSpec
FROM_THE_STEPS = "steps"  # their English stands in the cleaning steps
SEPARATE = {"errors", "phrases"}  # their English stands where they are made


def texts(lang: str) -> dict[str, dict[str, str]]:
    return {path.stem: yaml.safe_load(path.read_text()) or {} for path in (FOLDER / lang).glob("*.yaml")}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_text_is_there_in_both_languages():
    english, turkish = texts("en"), texts("tr")
    assert english.keys() == turkish.keys() - {FROM_THE_SPEC, FROM_THE_STEPS} - SEPARATE
    for file, keys in english.items():
        assert keys.keys() == turkish[file].keys(), file


def test_every_option_of_a_run_is_translated():
    wanted = {f"spec.{name}.{part}" for name in RunSpec.model_fields for part in ("label", "help")}
    assert wanted <= texts("tr")[FROM_THE_SPEC].keys()
    assert all(say(key, "en") for key in wanted)


def test_every_text_of_a_cleaning_step_is_translated():
    wanted = {key for key in catalogue("en") if key.startswith("steps.")}
    assert len(wanted) > 100
    assert texts("tr")[FROM_THE_STEPS].keys() == wanted


def test_placeholders_are_the_same():
    for key, text in catalogue("en").items():
        if not key.startswith("spec."):
            assert placeholders(text) == placeholders(catalogue("tr")[key]), key


def test_every_phrase_of_the_data_room_is_translated():
    turkish = texts("tr")["phrases"]
    assert turkish.keys() == PHRASES.keys()
    assert {key for key, text in PHRASES.items() if placeholders(text) != placeholders(turkish[key])} == set()


def test_no_text_is_empty_or_in_the_other_language():
    for lang in LANGUAGES:
        assert [
            key for key, text in catalogue(lang).items() if not isinstance(text, str) or not text.strip()
        ] == []
    same = {
        key for key, text in catalogue("en").items() if catalogue("tr")[key] == text and len(text.split()) > 2
    }
    assert same == set()


def test_every_key_stands_in_the_file_of_its_name():
    for lang in LANGUAGES:
        for file, keys in texts(lang).items():
            if file not in SEPARATE:
                assert {key.partition(".")[0] for key in keys} <= {file}, f"{lang}/{file}.yaml"


def test_every_key_that_the_code_names_is_there():
    named = re.compile(r'(?<!told\.)\b(?:t|say)\(\s*"([a-z0-9_.]+)"')
    for path in [*(ROOT / "ftkit" / "ui").rglob("*.py"), *(ROOT / "ftkit" / "server").rglob("*.py")]:
        for key in named.findall(path.read_text()):
            assert key in catalogue("en"), f"{path.name}: {key}"


def raised() -> dict[str, str]:
    """Key and English sentence of every error in the code; what only the terminal says is left out."""
    kinds = {kind.__name__ for kind in errors.__dict__.values() if isinstance(kind, type)}
    found = {}
    for path in (ROOT / "ftkit").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in kinds
                and len(node.args) == 2
            ):
                key, text = (getattr(argument, "value", None) for argument in node.args)
                if isinstance(key, str) and isinstance(text, str) and not key.startswith("cli."):
                    found[key] = text
    return found


def test_every_error_that_is_raised_is_translated():
    assert len(raised()) > 20
    assert raised().keys() - error_catalogue("tr").keys() == set()


def test_translated_errors_have_the_same_placeholders():
    turkish = error_catalogue("tr")
    assert {
        key
        for key, text in raised().items()
        if key in turkish and placeholders(text) != placeholders(turkish[key])
    } == set()


def test_a_text_that_is_not_there_is_noticed_when_the_page_is_built():
    with pytest.raises(KeyError):
        t("home.no_such_text")


def test_values_are_put_in_and_braces_without_values_stay(monkeypatch):
    monkeypatch.setattr(i18n, "catalogue", lambda lang: {"a": "{n} rows", "b": '{"json": 1}'})
    assert say("a", "en", n=3) == "3 rows"
    assert say("b", "en") == '{"json": 1}'


def test_an_error_is_said_in_the_reader_s_language_or_in_english(monkeypatch):
    monkeypatch.setattr(i18n, "error_catalogue", lambda lang: {"a.b": "{name} boş"} if lang == "tr" else {})
    error = BadInput("a.b", "{name} is empty", name="x")
    assert say_error(error, "tr") == "x boş"
    assert say_error(error, "en") == "x is empty"
    assert say_error(BadInput("a.c", "only English"), "tr") == "only English"


@pytest.mark.parametrize(
    ("cookie", "accepted", "expected"),
    [
        (None, "", "en"),
        (None, "tr-TR,tr;q=0.9,en;q=0.8", "tr"),
        (None, "de,tr;q=0.5", "tr"),
        (None, "de-DE", "en"),
        ("tr", "en-US", "tr"),
        ("en", "tr-TR", "en"),
        ("xx", "tr-TR", "tr"),
        ("../../etc", "", "en"),
    ],
)
def test_the_language_of_a_caller(cookie, accepted, expected):
    request = SimpleNamespace(
        cookies={"ftkit_lang": cookie} if cookie else {}, headers={"accept-language": accepted}
    )
    assert language(request) == expected


def test_without_a_caller_it_is_english():
    assert language(None) == "en"


def test_the_same_key_in_two_files_is_refused(tmp_path, monkeypatch):
    (tmp_path / "en").mkdir()
    for name in ("a", "b"):
        (tmp_path / "en" / f"{name}.yaml").write_text("same.key: text\n")
    monkeypatch.setattr(i18n, "_FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"same\.key"):
        i18n._read("en")
