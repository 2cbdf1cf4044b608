import pytest

from ftkit.data.cleaning import running
from ftkit.data.editing.service import EditingService
from ftkit.errors import BadInput

CHAT = [{"role": "user", "content": "Capital of Australia?"}, {"role": "assistant", "content": "Sydney."}]


@pytest.fixture
def editing(shared):
    return EditingService(*shared)


@pytest.fixture
def dataset(service, write):
    return service.import_file(
        write("rows.jsonl", [{"messages": CHAT, "note": n} for n in ("a\u2028b", "c", "d")])
    )


ANSWER = ("messages", 1, "content")


def test_a_text_inside_messages_is_corrected_in_a_draft(editing, service, dataset):
    assert [one.place for one in editing.texts(dataset.id, 1)] == [
        ("messages", 0, "content"),
        ANSWER,
        ("note",),
    ]
    made = editing.edit(dataset.id, 1, ANSWER, "Canberra.")
    assert (made.before, made.after, made.row) == ("Sydney.", "Canberra.", 1)
    now = {one.place: one for one in editing.texts(dataset.id, 1)}
    assert (now[ANSWER].original, now[ANSWER].text) == ("Sydney.", "Canberra.")
    assert editing.texts(dataset.id, 0)[1].text == "Sydney."
    assert service.rows(dataset.id)[1]["messages"] == CHAT


def test_each_correction_can_be_taken_back_and_stays_in_the_history(editing, dataset):
    for text in ("Canberra", "Canberra."):
        editing.edit(dataset.id, 0, ANSWER, text)
    editing.take_back(dataset.id, 2)
    assert editing.texts(dataset.id, 0)[1].text == "Canberra"
    editing.take_back(dataset.id, 1)
    assert editing.texts(dataset.id, 0)[1].text == "Sydney."
    draft = editing.draft(dataset.id)
    assert ([one.number for one in draft.edits], draft.back, draft.valid) == ([1, 2], {1, 2}, 0)
    for number in (1, 9):
        with pytest.raises(BadInput, match=f"no correction {number}"):
            editing.take_back(dataset.id, number)
    with pytest.raises(BadInput, match="no correction to save"):
        editing.save(dataset.id)


def test_saving_makes_a_new_dataset_whose_log_lists_the_corrections(editing, service, dataset, home):
    editing.edit(dataset.id, 0, ("note",), "line\nsep\u2028 “ok”")
    editing.edit(dataset.id, 2, ANSWER, "Canberra")
    editing.edit(dataset.id, 2, ANSWER, "Canberra.")
    editing.edit(dataset.id, 1, ("note",), "wrong")
    editing.take_back(dataset.id, 4)
    made = editing.save(dataset.id, " Corrected ")
    assert (made.name, made.parents, made.rows) == ("Corrected", (dataset.id,), 3)
    assert service.remap(made.id, made.mapping).rows == 3, "the next step takes it"
    assert made.notes == ("Corrected by hand: 2 places in 2 rows.",)
    rows = service.rows(made.id)
    assert rows[0]["note"] == "line\nsep\u2028 “ok”"
    assert rows[2]["messages"][1]["content"] == "Canberra."
    assert rows[1] == service.rows(dataset.id)[1]
    audit = running.audit_rows(home / "datasets" / made.id / running.AUDIT)
    assert [one.outcome for one in audit] == ["changed", "kept", "changed"]
    (edit,) = audit[2].edits
    assert (edit["before"], edit["after"], edit["place"]) == ("Canberra", "Canberra.", list(ANSWER))
    assert editing.draft(dataset.id).edits == ()
    assert editing.texts(dataset.id, 2)[1].text == "Sydney."


@pytest.mark.parametrize(
    ("row", "place", "text", "words"),
    [
        (7, ANSWER, "x", "no row 7"),
        (-1, ANSWER, "x", "no row -1"),
        (0, ("messages", 1, "role"), "user", "has no text at messages.1.role"),
        (0, ("nothing",), "x", "has no text"),
        (0, ANSWER, "Sydney.", "as it was"),
        (0, ANSWER, "x" * 1_000_001, "longer than"),
    ],
)
def test_what_cannot_be_corrected_is_said(editing, dataset, row, place, text, words):
    with pytest.raises(BadInput, match=words):
        editing.edit(dataset.id, row, place, text)


def test_a_line_torn_by_a_crash_spoils_nothing(editing, dataset, home):
    editing.edit(dataset.id, 0, ANSWER, "Canberra")
    with (home / "datasets" / dataset.id / "edits.jsonl").open("a") as stream:
        stream.write('\n{"kind":"edit","numb')
    editing.edit(dataset.id, 1, ANSWER, "Canberra")
    assert [one.row for one in editing.draft(dataset.id).edits] == [0, 1]
