"""Texts of both sides in the same form."""

from ftkit.workers.drift.prompts import distinct, of_training, read, words_of


def test_training_rows_give_each_turn_of_their_user():
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "three"},
        {"role": "assistant", "content": "four"},
    ]
    rows = [{"messages": messages}, {"messages": None}]
    assert of_training(rows, {"messages": "messages"}) == ["one", "three"]
    single = [{"q": "ask", "a": "say", "s": "system"}]
    assert of_training(single, {"system": "s", "user": "q", "assistant": "a"}) == ["ask"]
    assert of_training(single, {"prompt": "q", "completion": "a"}) == ["ask"]
    assert of_training([{"text": "a page"}], {"text": "text"}) == []


def test_each_different_text_once():
    assert distinct([("a", "Hello  you"), ("b", "hello you"), ("c", " "), ("d", "other")]) == [
        ("a", "Hello  you"),
        ("d", "other"),
    ]


def test_personal_data_counts_masked_or_not_and_stands_in_no_text():
    plain, masked, hashed, none = read(
        [
            ("a", "write to lena@example.org today"),
            ("b", "write to [EMAIL] today"),
            ("c", "write to [EMAIL-0123456789] today"),
            ("d", "a [NOTE] about mail"),
        ]
    )
    assert plain.personal == masked.personal == hashed.personal == {"email"}
    assert plain.words == masked.words == hashed.words == ("write", "to", "today")
    assert none.personal == frozenset()


def test_words_of_many_scripts():
    assert words_of("Don't order 12x FW-22") == ("don't", "order", "x", "fw")
    assert words_of("咖啡机坏了") == ("咖", "啡", "机", "坏", "了")
    assert words_of("Çay, ŞEKER") == ("çay", "şeker")


def test_a_language_is_told_where_it_can_be():
    turkish, short = read([("a", "Kargom üç gündür şubede bekliyor, kimse bir şey bilmiyor"), ("b", "ok")])
    assert (turkish.language, short.language) == ("tr", "")
