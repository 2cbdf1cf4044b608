"""The masker's answers, without its process and without presidio: how it finds is tested with the finder."""

import pytest

from ftkit.data.health.personal import PersonalData, Span
from ftkit.workers.mask import __main__ as worker


class Finder(PersonalData):
    """Finds every ``@``."""

    def find(self, text: str) -> list[Span]:
        if text == "break":
            raise ValueError(f"cannot read {text}")
        return [Span("email", place, place + 1, "@") for place, sign in enumerate(text) if sign == "@"]


def test_each_text_is_masked_and_counted_by_itself() -> None:
    told = worker.mask(Finder(), {"texts": ["a @ b @", "nothing", ""]})
    assert told == {
        "masked": [
            {"text": "a [EMAIL] b [EMAIL]", "found": {"email": 2}},
            {"text": "nothing", "found": {}},
            {"text": "", "found": {}},
        ]
    }


def test_a_failure_repeats_nothing_of_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    told = worker._reply(Finder(), {"texts": ["break"]})
    assert told["error"]["values"] == {"reason": "ValueError"}
    log = capsys.readouterr().err
    assert "ValueError" in log
    assert "cannot read break" not in log
