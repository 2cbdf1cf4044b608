import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftkit.data import clean, storage
from ftkit.data.cleaning import running
from ftkit.data.health.personal import PersonalData
from tests.unit.data.cleaning.conftest import context

ALL_STEPS = [
    {"step": "repair_mojibake"},
    {"step": "normalise_text"},
    {"step": "neutralise_special_tokens"},
    {"step": "mask_personal_data"},
    {"step": "drop_empty"},
    {"step": "drop_low_quality"},
    {"step": "drop_short", "minimum": 6},
    {"step": "drop_long", "maximum": 200},
    {"step": "filter_rows", "expression": "len(answer) != 7"},
    {"step": "drop_exact_duplicates"},
    {"step": "drop_near_duplicates"},
]
TEXT = st.one_of(
    st.sampled_from(
        ["", " ", "What is it?", "It is a  kettle. ", "It is a kettle.", "n/a", "Mail ayse@ornek.com.tr"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
ROWS = st.lists(st.fixed_dictionaries({"question": TEXT, "answer": TEXT}), min_size=1, max_size=12)


def account(rows: list[dict[str, Any]], left: list[dict[str, Any]], audit: Any, summary: Any) -> None:
    """Every row of the parent stands in the log once, and the log, the counts and the rows say the same."""
    assert [one.row for one in audit] == list(range(len(rows)))
    stay = [one for one in audit if one.outcome != "dropped"]
    assert [one.new_row for one in stay] == list(range(len(left)))
    for one in stay:
        assert (left[one.new_row] != rows[one.row]) <= (one.outcome == "changed")
        assert one.outcome == ("changed" if one.changed_by else "kept")
    gone = [one for one in audit if one.outcome == "dropped"]
    assert all(one.reason and one.dropped_by and one.new_row is None for one in gone)
    assert summary.kept == len(left)
    assert sum(summary.dropped.values()) == len(gone)
    assert summary.rows == summary.kept + len(gone)
    assert summary.changed == sum(one.outcome == "changed" for one in audit)


def ran(folder: Any, steps: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Any:
    storage.write_rows(folder / "source.parquet", rows, ["question", "answer"])
    summary = running.run(
        folder / "source.parquet", folder, clean.parse(steps), context(), lambda _done, _all: None
    )
    return storage.read_rows(folder / storage.ROWS), running.audit_rows(folder / running.AUDIT), summary


@settings(max_examples=60)
@given(rows=ROWS, steps=st.lists(st.sampled_from(ALL_STEPS), min_size=1, max_size=6))
def test_the_log_accounts_for_every_row(rows, steps, tmp_path_factory):
    left, audit, summary = ran(tmp_path_factory.mktemp("run"), steps, rows)
    account(rows, left, audit, summary)


@pytest.mark.parametrize("step", ALL_STEPS[:10], ids=lambda step: step["step"])
@settings(max_examples=40)
@given(rows=ROWS)
def test_a_step_done_twice_does_nothing_the_second_time(step, rows, tmp_path_factory):
    left, _, _ = ran(tmp_path_factory.mktemp("run"), [step], rows)
    if left:
        again, audit, summary = ran(tmp_path_factory.mktemp("run"), [step], left)
        assert again == left
        assert {one.outcome for one in audit} == {"kept"}
        assert summary.changed == 0


def test_the_order_of_the_steps_is_the_person_s(run):
    rows = [
        {"question": "q", "answer": "A  b"},
        {"question": "q", "answer": "a b"},
        {"question": "q", "answer": "a b!"},
    ]
    tidy = {"step": "find_replace", "find": "!", "replace": ""}
    copies = {"step": "drop_exact_duplicates"}
    assert len(run([tidy, copies], rows)[0]) == 1
    assert len(run([copies, tidy], rows)[0]) == 2


def test_copies_go_and_the_first_one_stays_and_is_named(run):
    words = "the quick brown fox jumps over the lazy dog and runs far away into the dark green forest behind the old mill"
    rows = [
        {"question": "Tell me.", "answer": "x"},
        {"question": "Tell me a tale.", "answer": words},
        {"question": "tell  me.", "answer": "X"},
        {"question": "Tell me a tale.", "answer": words.replace("mill", "barn")},
        {"question": "Tell me a tale.", "answer": "Another one entirely."},
    ]
    steps = [
        {"step": "drop_short", "minimum": 3},
        {"step": "drop_exact_duplicates"},
        {"step": "drop_near_duplicates"},
    ]
    left, audit, summary = run(steps, rows)
    account(rows, left, audit, summary)
    assert [(one.row, one.dropped_by, one.like) for one in audit if one.outcome == "dropped"] == [
        (2, "drop_exact_duplicates", 0),
        (3, "drop_near_duplicates", 1),
    ]
    assert summary.dropped == {"an exact copy of an earlier row": 1, "nearly the same as an earlier row": 1}


def test_a_near_copy_names_the_row_of_the_parent_although_rows_went_before(run):
    words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    rows = [{"question": "q", "answer": text} for text in ("", words, "", words + " seventeen")]
    _, audit, _ = run([{"step": "drop_empty"}, {"step": "drop_near_duplicates"}], rows)
    assert audit[3].like == 1


def test_same_rows_steps_and_seed_give_the_same_bytes(tmp_path):
    rows = [
        {"question": f"What is {n}?", "answer": f"Call 0532 123 45 {n % 90 + 10} now "} for n in range(200)
    ]
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _, _, summary = ran(tmp_path / name, ALL_STEPS, rows)
        files = [
            (tmp_path / name / file).read_bytes() for file in (storage.ROWS, running.AUDIT, running.SUMMARY)
        ]
        made.append((summary.content_hash, files))
    assert made[0] == made[1]
    assert {path.name for path in (tmp_path / "a").iterdir()} == {
        *(storage.ROWS, running.AUDIT, running.SUMMARY),
        "source.parquet",
    }


def test_texts_inside_messages_are_cleaned_and_roles_are_left_alone(run):
    messages = [
        {"role": "user ", "content": "My mail is ayse@ornek.com.tr "},
        {
            "from": "gpt",
            "value": [
                {"type": "text", "text": "Thanks, ayse@ornek.com.tr"},
                {"type": "image", "id": "a@b.co"},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a@b.co", "type": "function", "function": {"name": "f", "arguments": {"to": "c@d.io"}}}
            ],
        },
    ]
    steps = [{"step": "mask_personal_data"}, {"step": "normalise_text"}]
    here = context({"messages": "chat"}, ("chat", "note"))
    left, _, _ = run(steps, [{"chat": messages, "note": "x@y.io "}], context=here)
    chat = left[0]["chat"]
    assert chat[0] == {"role": "user ", "content": "My mail is [EMAIL]"}
    assert chat[1]["value"] == [
        {"type": "text", "text": "Thanks, [EMAIL]"},
        {"type": "image", "id": "a@b.co"},
    ]
    assert chat[2]["tool_calls"][0]["id"] == "a@b.co"
    assert chat[2]["tool_calls"][0]["function"]["arguments"] == {"to": "[EMAIL]"}
    assert left[0]["note"] == "x@y.io "  # it plays no role
    as_text = [{"chat": json.dumps(messages[:1]), "note": ""}]
    left, _, _ = run(steps, as_text, context=here)
    assert json.loads(left[0]["chat"])[0]["content"] == "My mail is [EMAIL]"


def test_named_columns_only(run):
    rows = [{"question": "a@b.co", "answer": "a@b.co", "extra": "a@b.co"}]
    left, _, _ = run([{"step": "mask_personal_data", "columns": ["extra"]}], rows)
    assert left == [{"question": "a@b.co", "answer": "a@b.co", "extra": "[EMAIL]"}]


PLANTED = {
    "email": ["ayse.yilmaz@ornek.com.tr", "john+x@mail.example.co.uk"],
    "card": ["4111 1111 1111 1111", "5555-5555-5555-4444"],
    "iban": ["TR33 0006 1005 1978 6457 8413 26"],
    "phone": ["+90 532 123 45 67", "(415) 555-2671"],
    "ip": ["85.105.12.34"],
    "tckn": ["10000000146"],
    "secret": ["AKIAIOSFODNN7EXAMPLE"],
}


@pytest.mark.parametrize("mode", ["mask", "hash", "fake"])
def test_planted_personal_data_is_gone_and_the_same_value_gets_the_same_replacement(mode, run):
    values = [(kind, value) for kind, some in PLANTED.items() for value in some]
    rows = [{"question": f"Here: {value} end", "answer": f"Again {value}."} for _, value in values]
    step = {"step": "mask_personal_data", "mode": mode, "salt": "pepper"}
    left, audit, summary = run([step], rows)
    account(rows, left, audit, summary)
    assert summary.changed == len(rows)
    for row, (kind, value) in zip(left, values, strict=True):
        assert value not in row["question"] + row["answer"], kind
        first = row["question"].removesuffix(" end").removeprefix("Here: ")
        assert row["answer"] == f"Again {first}."
    again, _, second = run([step], left)
    assert again == left
    assert second.changed == 0
    if mode == "mask":
        found = [span for row in left for text in row.values() for span in PersonalData().find(text)]
        assert found == []


def test_another_salt_gives_other_replacements_and_the_salt_is_not_kept(run):
    rows = [{"question": "q", "answer": "a@b.co"}]
    steps = [
        [{"step": "mask_personal_data", "mode": "hash", "salt": salt}] for salt in ("pepper-1", "pepper-2")
    ]
    (first, _, summary), (second, _, _) = (run(some, rows) for some in steps)
    assert first != second
    assert "pepper" not in summary.model_dump_json()


def test_kinds_that_are_not_chosen_stay(run):
    rows = [{"question": "q", "answer": "a@b.co and 85.105.12.34"}]
    left, _, _ = run([{"step": "mask_personal_data", "kinds": ["ip"]}], rows)
    assert left[0]["answer"] == "a@b.co and [IP]"


def test_nothing_left_is_an_empty_result_with_a_full_log(run):
    rows = [{"question": "q", "answer": "a"}] * 3
    left, audit, summary = run([{"step": "drop_short", "minimum": 100}], rows)
    account(rows, left, audit, summary)
    assert left == []
