import pytest

from ftkit.data.mapping import check, guess
from ftkit.errors import BadInput

TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
SHARED = [{"from": "human", "value": "hi"}]


def of(row: dict) -> dict[str, str]:
    return guess(list(row), [row, row])[0]


@pytest.mark.parametrize(
    ("row", "mapping"),
    [
        ({"id": 1, "messages": TURNS}, {"messages": "messages"}),
        ({"conversations": SHARED, "system": "be kind"}, {"messages": "conversations", "system": "system"}),
        ({"messages": '[{"role": "user", "content": "x"}]'}, {"messages": "messages"}),
        ({"sohbet": TURNS, "other": TURNS}, {"messages": "sohbet"}),
        (
            {"instruction": "x", "input": "", "output": "y", "system": "s", "history": [["a", "b"]]},
            {"system": "system", "instruction": "instruction", "user": "input", "assistant": "output"},
        ),
        (
            {"talimat": "x", "girdi": "y", "çıktı": "z"},
            {"instruction": "talimat", "user": "girdi", "assistant": "çıktı"},
        ),
        ({"Soru": "x", "Cevap": "y"}, {"user": "Soru", "assistant": "Cevap"}),
        ({"SORU": "x", "YANIT": "y"}, {"user": "SORU", "assistant": "YANIT"}),
        (
            {"sistem": "s", "mesaj": "x", "yanıt": "y"},
            {"system": "sistem", "user": "mesaj", "assistant": "yanıt"},
        ),
        ({"prompt": "x", "completion": "y"}, {"user": "prompt", "assistant": "completion"}),
        (
            {"system": "s", "message": "x", "answer": "y"},
            {"system": "system", "user": "message", "assistant": "answer"},
        ),
        (
            {"context": "c", "question": "q", "answer": "a"},
            {"instruction": "question", "user": "context", "assistant": "answer"},
        ),
        ({"title": "t", "text": "long", "url": "u"}, {"text": "text"}),
        ({"metin": "x"}, {"text": "metin"}),
        ({"text": "x", "label": 1}, {"user": "text", "assistant": "label"}),
        (
            {"prompt": "x", "chosen": "a", "rejected": "b"},
            {"user": "prompt", "chosen": "chosen", "rejected": "rejected"},
        ),
        (
            {"conversations": SHARED, "chosen": SHARED[0], "rejected": SHARED[0]},
            {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
        ),
        ({"chosen": TURNS, "rejected": TURNS}, {"chosen": "chosen", "rejected": "rejected"}),
        (
            {"prompt": "x", "completion": "y", "label": True},
            {"user": "prompt", "assistant": "completion", "label": "label"},
        ),
        (
            {"istem": "x", "yanıt": "y", "etiket": "false"},
            {"user": "istem", "assistant": "yanıt", "label": "etiket"},
        ),
        ({"question": "x", "answer": "y", "label": "sad"}, {"user": "question", "assistant": "answer"}),
        ({"metin": "x", "etiket": "olumlu"}, {"user": "metin", "assistant": "etiket"}),
        ({"messages": TURNS, "tools": [{"type": "function"}]}, {"messages": "messages", "tools": "tools"}),
    ],
)
def test_known_shapes(row, mapping):
    assert of(row) == mapping


@pytest.mark.parametrize(
    ("row", "mapping", "note"),
    [
        ({"talk": TURNS}, {"messages": "talk"}, "“talk” was taken as messages"),
        (
            {"question": "q", "id": "1", "details": "a long answer"},
            {"user": "question", "assistant": "details"},
            "“details” was taken as answer",
        ),
        (
            {"body": "long question", "n": "1", "reply": "y"},
            {"user": "body", "assistant": "reply"},
            "“body” was taken as question",
        ),
        (
            {"no": "1", "left": "a question", "right": "an answer"},
            {"user": "left", "assistant": "right"},
            "are a guess",
        ),
        ({"only": "some text"}, {"text": "only"}, "are a guess"),
        ({"prompt": "some text"}, {"text": "prompt"}, "are a guess"),
        (
            {"instruction": "x", "input": "y"},
            {"instruction": "instruction", "user": "input"},
            "No column holds answers",
        ),
        ({"a": 1, "b": 2.5}, {}, "No column holds text"),
        (
            {"topic": "t", "chosen": "a", "rejected": "b"},
            {"user": "topic", "chosen": "chosen", "rejected": "rejected"},
            "“topic” was taken",
        ),
        (
            {"prompt": "x", "chosen": "a", "rejected": "b"},
            {"user": "prompt", "chosen": "chosen", "rejected": "rejected"},
            "ends with the chosen",
        ),
        (
            {"id": "1", "question": "x", "answer": "y"},
            {"user": "question", "assistant": "answer"},
            "Not used for training: id.",
        ),
    ],
)
def test_a_weak_guess_is_still_one_and_says_so(row, mapping, note):
    guessed, notes = guess(list(row), [row])
    assert guessed == mapping
    assert any(note in said for said in notes)


def test_a_good_guess_needs_no_note():
    assert guess(["question", "answer"], [{"question": "x", "answer": "y"}])[1] == ()


@pytest.mark.parametrize(
    ("mapping", "key"),
    [
        ({"teacher": "a"}, "data.unknown_role"),
        ({"user": "a", "assistant": "z"}, "data.unknown_column"),
        ({"user": "a"}, "data.no_target"),
        ({"user": "a", "assistant": ""}, "data.no_target"),
        ({}, "data.no_target"),
        ({"assistant": "a"}, "data.no_question_column"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(mapping, key):
    with pytest.raises(BadInput) as caught:
        check(mapping, ("a", "b"))
    assert caught.value.key == key


def test_empty_choices_of_a_form_are_dropped():
    assert check({"user": "a", "assistant": "b", "system": ""}, ("a", "b")) == {"user": "a", "assistant": "b"}
