import pytest

from ftkit.errors import BadInput
from ftkit.evaluation.errors.selection import Selection


def test_the_address_gives_the_same_selection_again():
    chosen = Selection(
        measure="mood_accuracy", kind="regression", sort="row", slice="label:mood", value="sad & <b>",
        error="wrong_field:mood", side="base", field="mood", wanted=0, given=3, tag="my own",
    )  # fmt: skip
    assert Selection.parse(chosen.parameters()) == chosen
    assert Selection().parameters() == {}
    assert Selection.parse({"evaluation": "e1", "row": "3", "kind": ""}) == Selection()


def test_a_condition_is_taken_away_alone():
    chosen = Selection(kind="regression", field="mood", wanted=1, given=2, tag="x")
    assert chosen.without("field", "wanted", "given") == Selection(kind="regression", tag="x")


@pytest.mark.parametrize(
    "given", [{"kind": "nonsense"}, {"wanted": "many"}, {"side": "other"}, {"tag": "x" * 201}]
)
def test_what_cannot_be_is_refused(given):
    with pytest.raises(BadInput, match=next(iter(given))):
        Selection.parse(given)
