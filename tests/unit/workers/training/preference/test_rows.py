"""Preference rows are those that TRL would make of the same texts, and what cannot be compared is left out."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ftkit.data.chat import RowProblem
from ftkit.workers.training.preference.rows import marked_rows, pair_row
from ftkit.workers.training.prepared import prepare
from ftkit.workers.training.rows import FastTokenizer
from tests.unit.workers.runs import make_split

PAIR = {"user": "question", "chosen": "good", "rejected": "bad"}
MARKED = {"user": "question", "assistant": "good", "label": "mark"}
ROWS: list[dict[str, Any]] = [
    {"question": "Where is my parcel?", "good": "It is late, sorry.", "bad": "No idea."},
    {"question": "Çaydanlık neden ısınmıyor?", "good": "Fişini kontrol edin.", "bad": "Bilmem."},
]


@pytest.fixture(scope="module")
def encode(tiny_model: Path) -> FastTokenizer:
    return FastTokenizer(tiny_model)


@pytest.mark.training
@pytest.mark.filterwarnings("ignore:.*deprecated.*:FutureWarning")  # TRL about its own names
@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_the_ids_are_those_of_trl(method: str, tiny_model: Path, encode: FastTokenizer) -> None:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

    from ftkit.workers.loading import load_tokenizer

    tokenizer = load_tokenizer(tiny_model)
    conversations = [
        {
            "prompt": [{"role": "user", "content": row["question"]}],
            "chosen": [{"role": "assistant", "content": row["good"]}],
            "rejected": [{"role": "assistant", "content": row["bad"]}],
        }
        for row in ROWS
    ]
    kind: Any = DPOTrainer if method == "dpo" else KTOTrainer
    config = (DPOConfig if method == "dpo" else KTOConfig)(output_dir="out", use_cpu=True, bf16=False)
    shim = SimpleNamespace(
        _tokenizer=tokenizer, calculate_KL=False, desirable_weight=1.0, undesirable_weight=1.0
    )
    made = kind._prepare_dataset(shim, Dataset.from_list(conversations), tokenizer, config, "train")
    if method == "dpo":
        own = [pair_row(row, PAIR, encode)._asdict() for row in ROWS]
    else:
        both = [marked_rows(row, PAIR, encode) for row in ROWS]
        own = [
            rows[n]._asdict() for n in (0, 1) for rows in both
        ]  # TRL puts all good ones before the bad ones
    assert [{name: row[name] for name in own[0]} for row in made] == own


def test_a_marked_answer_keeps_its_mark(encode: FastTokenizer) -> None:
    (good,) = marked_rows({**ROWS[0], "mark": "good"}, MARKED, encode)
    (bad,) = marked_rows({**ROWS[0], "mark": "0"}, MARKED, encode)
    assert (good.label, bad.label) == (True, False)
    assert good.completion_ids == bad.completion_ids
    with pytest.raises(RowProblem, match="mark"):
        marked_rows({**ROWS[0], "mark": "perhaps"}, MARKED, encode)
    with pytest.raises(RowProblem, match="good or bad"):
        marked_rows(ROWS[0], {"user": "question", "assistant": "good"}, encode)


def test_pairs_that_are_too_long_or_the_same_are_left_out_and_counted(
    tmp_path: Path, encode: FastTokenizer
) -> None:
    data = [
        *ROWS,
        {"question": "Why?", "good": "Because.", "bad": "Long " * 100},
        {"question": "Why?", "good": "Same.", "bad": "Same."},
    ]
    file = make_split(tmp_path, data, columns=("question", "good", "bad")) / "train.parquet"
    made = prepare(file, PAIR, encode, 100, method="dpo")
    assert (len(made.rows), made.left_out, made.empty) == (2, 1, 1)
    assert made.tokens == sum(row.size for row in (pair_row(row, PAIR, encode) for row in ROWS))
    assert prepare(file, PAIR, encode, 100, method="kto").left_out == 1
