import string

from ftkit.evaluation.report.words import words


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    english, turkish = words("en").sentences, words("tr").sentences
    assert english.keys() == turkish.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(turkish[key]), key


def test_numbers_are_written_as_the_language_writes_them() -> None:
    en, tr = words("en"), words("tr")
    assert (en.number(-1234.5, 1), tr.number(-1234.5, 1)) == ("−1,234.5", "−1.234,5")
    assert (en.number(3, sign=True), en.percent(0.125), tr.percent(0.125)) == ("+3", "12.5%", "%12,5")
    assert (en.duration(42.4), en.duration(119.6), tr.duration(3720)) == ("42 s", "2 min 0 s", "1 sa 2 dk")


def test_an_unknown_language_is_english() -> None:
    assert words("de").language == "en"
