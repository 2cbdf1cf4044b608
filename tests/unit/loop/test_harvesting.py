"""From requests to a dataset, and from that to what the train page is opened with."""

import pytest

from ftkit.errors import BadInput, NotFound
from ftkit.monitoring.harvest.wishes import HarvestWishes
from ftkit.monitoring.traffic.exchange import Feedback
from tests.monitored import exchange
from tests.unit.loop.conftest import BASE, Served


def test_requests_become_conversations_with_the_right_answers(served: Served) -> None:
    served.keep_texts()
    served.record(*(exchange(n) for n in range(1, 31)))
    workspace = served.workspace
    for number in range(1, 31):
        said = Feedback(thumb=-1, correction=f"Parcel {number} comes on Monday." if number % 2 else None)
        workspace.traffic.feedback(f"req-{number}", "k1", said)
    workspace.traffic.flush(10)
    dataset = workspace.harvest(HarvestWishes(feedback=("down",)), "Bad ones")
    assert (dataset.name, dataset.rows, dataset.parents[1:]) == ("Bad ones", 30, ("run-1",))
    rows = {row["request"]: row for row in workspace.data.rows(dataset.id, limit=100)}
    assert rows["req-1"]["messages"][-1] == {"role": "assistant", "content": "Parcel 1 comes on Monday."}
    first = rows["req-1"]
    assert (first["answer_by"], first["why"], first["version"]) == ("user", "down", "v1")
    assert rows["req-2"]["messages"][-1]["content"] == "It is on its way."
    assert rows["req-2"]["answer_by"] == "model"
    assert "15" in dataset.notes[1]
    assert "Correct them before" in dataset.notes[2]
    assert workspace.data.conversation(dataset.id, 0)[-1]["role"] == "assistant"
    with pytest.raises(BadInput, match="No request fits"):
        workspace.harvest(HarvestWishes(feedback=("down",)))
    again = workspace.harvest(["req-2"], "One")
    assert again.rows == 1
    # Of one row none can be held back.
    assert workspace.splits.get(workspace.next_run(again.id).split).sizes["train"] == 1

    following = workspace.next_run(dataset.id)
    assert (following.model, following.start_from_run) == (BASE, "run-1")
    assert workspace.splits.get(following.split).dataset == dataset.id
    assert workspace.next_run(dataset.id) == following  # the split is made once
    spec = workspace.loop.begun_with(following)
    assert (spec.start_from_run, spec.method) == ("run-1", "sft")

    # What the row editor makes of a harvest leads back to the same run.
    edited = workspace.data.remap(dataset.id, dataset.mapping, "Edited")
    assert workspace.next_run(edited.id).start_from_run == "run-1"


def test_few_requests_are_split_so_that_something_is_held_back(served: Served) -> None:
    served.keep_texts()
    served.record(*(exchange(n) for n in range(1, 5)))
    workspace = served.workspace
    asked = [f"req-{n}" for n in range(1, 5)]

    # The usual seed leaves a part of four rows empty: the one that the refusal names fills all.
    four = workspace.harvest(asked, "Four")
    with pytest.raises(BadInput) as caught:
        workspace.splits.split(four.id)
    assert caught.value.key == "data.part_empty_seed"
    split = workspace.splits.get(workspace.next_run(four.id).split)
    assert split.seed == caught.value.values["seed"]
    assert all(split.sizes.values())

    # No seed fills three parts of three rows: the test part is given up, the validation part stays.
    three = workspace.harvest(asked[:3], "Three")
    assert workspace.splits.get(workspace.next_run(three.id).split).sizes == {
        "train": 2,
        "validation": 1,
        "test": 0,
    }


def test_a_dataset_of_another_kind_leads_to_no_run(served: Served) -> None:
    dataset = served.workspace.splits.get(served.split.id).dataset
    with pytest.raises(NotFound, match="does not come from the requests"):
        served.workspace.next_run(dataset)


def test_nothing_is_harvested_where_no_texts_are_kept(served: Served) -> None:
    served.record(exchange(1))
    served.workspace.traffic.feedback("req-1", "k1", Feedback(thumb=-1, correction="x"))
    with pytest.raises(BadInput, match="whose texts are kept"):
        served.workspace.harvest(HarvestWishes(feedback=("down", "corrected")))
