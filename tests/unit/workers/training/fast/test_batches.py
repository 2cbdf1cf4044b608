from hypothesis import given
from hypothesis import strategies as st

from ftkit.workers.training.fast.batches import FastCollator, Layout
from ftkit.workers.training.rows import IGNORED

ROWS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=5)


def _row(ids: list[int]) -> dict[str, list[int]]:
    return {"input_ids": ids, "labels": list(ids)}


def test_a_common_beginning_stands_once() -> None:
    batch = FastCollator()([_row([7, 8, 1, 2]), _row([7, 8, 3])])
    assert batch["input_ids"].tolist() == [[7, 8, 1, 2, 3]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 3, 2]]
    assert batch["layout"] == Layout(2, (2, 1))
    assert batch["labels"].tolist() == [[IGNORED, 8, 1, 2, IGNORED, 8, 3]]
    assert batch["sources"].tolist() == [[0, 0, 1, 2, 0, 0, 1]]


def test_nothing_is_shared_when_it_must_not_be() -> None:
    batch = FastCollator(share=False)([_row([7, 8, 1]), _row([7, 8])])
    assert batch["input_ids"].tolist() == [[7, 8, 1, 7, 8]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["layout"] == Layout(0, (3, 2))


@given(ROWS)
def test_every_token_is_predicted_from_the_tokens_before_it_in_its_row(ids: list[list[int]]) -> None:
    batch = FastCollator()([_row(row) for row in ids])
    sequence, positions = batch["input_ids"][0].tolist(), batch["position_ids"][0].tolist()
    layout, sources = batch["layout"], batch["sources"][0].tolist()
    assert len(sequence) == layout.shared + sum(layout.lengths)
    assert all(length > 0 for length in layout.lengths)
    place = 0
    for row in ids:
        for position, wanted in enumerate(row):
            if position:
                source = sources[place]
                assert (sequence[source], positions[source]) == (row[position - 1], position - 1)
                assert batch["labels"][0][place] == wanted
            else:
                assert batch["labels"][0][place] == IGNORED
            place += 1
    assert place == len(sources)
