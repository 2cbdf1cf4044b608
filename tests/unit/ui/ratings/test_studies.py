import pytest

from ftkit.ratings.studies.items import ItemAnswer
from ftkit.ratings.studies.views import Invite
from ftkit.ui.i18n import LANGUAGES, say
from ftkit.ui.ratings import people, studies
from tests.unit.ui.ratings.study import HOSTILE, NOW, item, rater, study_view

LABELS = {"base:tiny": HOSTILE, "run:r1": "First"}
STATES = ("preparing", "ready", "open", "closed")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_name_or_text_can_write_into_the_page(lang: str) -> None:
    shown = [
        studies.studies_card([study_view()], LABELS, lang),
        *(studies.head(study_view(state=state), LABELS, HOSTILE, lang) for state in STATES),
        studies.head(study_view(left_out={HOSTILE: 2}), LABELS, HOSTILE, lang),
        studies.items([item()], 0, LABELS, lang),
        studies.lineage([studies.Made("dataset", HOSTILE, HOSTILE), studies.Made("x", "1", HOSTILE)], lang),
        people.raters_table([rater()], lang),
        people.links([Invite("p1", HOSTILE, "tok")], f"http://{HOSTILE}", lang),
    ]
    for html in shown:
        assert "<img" not in html
        assert "&lt;img" in html


def test_each_state_says_where_the_study_stands() -> None:
    def head(**changes):
        return studies.head(study_view(**changes), LABELS, "Tickets · Test", "en")

    working = head(state="preparing", job="running", worker={"phase": "generating", "step": 6, "steps": 24})
    assert 'aria-valuenow="25"' in working
    assert "Another job is running" in head(state="preparing", job="queued")
    stopped = head(state="preparing", job="stopped", answered=7)
    assert "Answers that are there: 7 of 24" in stopped
    assert "go on for the missing ones" in stopped
    failed = head(state="preparing", job="failed", error={"key": "x", "text": "No room.", "values": {}})
    assert "No room." in failed
    assert say("ratings.ready.text", "en").split(",")[0] in head(state="ready")
    assert 'aria-valuenow="30"' in head()
    assert "Ratings: 9 of 30. Complete items: 2 of 10." in head()


def test_what_was_left_out_is_counted_by_reason() -> None:
    counts = {"identical_answers": 3, "missing_answer": 0, "something_new": 1}
    said = studies.left_out(counts, "en")
    assert "3 where all answers are the same, something_new: 1" in said
    assert studies.left_out({"identical_answers": 0}, "en") == ""


def test_items_are_shown_in_pages_with_whose_answers_they_are() -> None:
    found = [item(place, reference="") for place in range(studies.ITEMS_SHOWN + 2)]
    last = studies.items(found, studies.ITEMS_SHOWN, LABELS, "en")
    assert "11–12 of 12" in last
    assert last.count("<details") == 2
    assert "First" in last
    assert "names: tiny" in last
    assert studies.items(found, 99, LABELS, "en") == ""
    gold = item(answers=(ItemAnswer(side="", text="a"), ItemAnswer(side="", text="b", cut=True)), gold=1)
    shown = studies.items([gold], 0, LABELS, "en")
    assert shown.count(say("ratings.items.right", "en")) == 1
    assert say("ratings.items.cut", "en") in shown


def test_a_flagged_item_says_its_names_in_one_line() -> None:
    long = item(prompt=({"role": "user", "content": "line\n" * 100},))
    choice = studies.item_choice(long, "en")
    assert choice.startswith("1 · line line")
    assert choice.endswith("· tiny")
    assert "\n" not in choice


def test_any_item_can_be_left_out_and_a_cut_list_says_so() -> None:
    plain = item(answers=(ItemAnswer(side="", text="a"),), gold=0)
    assert studies.item_choice(plain, "en").endswith(say("ratings.items.gold", "en"))
    assert say("ratings.drop.text", "en") in studies.drop_note(0, 5, 300, "en")
    assert "300 of 400 items" in studies.drop_note(2, 400, 300, "en")
    assert "400" not in studies.drop_note(2, 400, 400, "en")


def test_the_history_is_judged_in_words() -> None:
    assert "All changes of ratings (9)" in studies.verified(9, None, "en")
    assert "change 4 of 9" in studies.verified(9, 4, "en")


def test_links_are_whole_and_each_has_its_button() -> None:
    invites = [Invite("p1", "Ayşe", "aaa"), Invite("p2", "John", "bbb")]
    html = people.links(invites, "http://127.0.0.1:7860", "en")
    assert html.count('data-ft-copy="http://127.0.0.1:7860/invite/') == 2
    assert "Copy the link of Ayşe" in html
    assert say("ratings.invite.while_open", "en") in html


def test_too_few_raters_are_noticed_only_while_it_matters() -> None:
    two = [rater(), rater(rater="p2"), rater(rater="p3", revoked_at=NOW)]
    assert "Invite 1 more" in people.enough(study_view(), two, "en")
    assert people.enough(study_view(state="closed"), two, "en") == ""
    assert people.enough(study_view(), [*two, rater(rater="p4")], "en") == ""
    assert say("ratings.people.revoked", "en") in people.raters_table(two, "en")
    assert say("ratings.people.none", "en") in people.raters_table([], "en")
