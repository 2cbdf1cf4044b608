import json
import math
from pathlib import Path

import pytest
import torch

from ftkit.errors import Refused
from ftkit.workers.evaluation import familiarity
from ftkit.workers.harness import Worker
from ftkit.workers.loading import load_model, load_tokenizer
from tests.tiny import make_tiny_model
from tests.unit.workers.runs import MAPPING, make_split, rows

pytestmark = pytest.mark.training  # importing transformers takes seconds


def _worker(folder: Path, model: Path, split: Path, **more: object) -> Worker:
    folder.mkdir()
    inputs = {
        "split": str(split),
        "mapping": MAPPING,
        "part": "train",
        "model": str(model),
        "rows": 5,
        "seed": 1,
    }
    (folder / "inputs.json").write_text(json.dumps({**inputs, **more}))
    return Worker(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def test_the_figures_are_those_of_a_slow_loop(tmp_path: Path, model: Path) -> None:
    data = rows(12)
    split = make_split(tmp_path / "split", data)
    found = familiarity.measure(_worker(tmp_path / "work", model, split))
    loaded, tokenizer = load_model(model), load_tokenizer(model)
    surprise, tokens, characters = 0.0, 0, 0
    for row in familiarity.sample(split / "train.parquet", 5, 1):
        asked = [{"role": "system", "content": row["system"]}, {"role": "user", "content": row["message"]}]
        whole = [*asked, {"role": "assistant", "content": row["answer"]}]
        start = len(tokenizer.apply_chat_template(asked, add_generation_prompt=True, return_dict=False))
        ids = torch.tensor([tokenizer.apply_chat_template(whole, return_dict=False)])
        with torch.no_grad():
            logits = loaded(input_ids=ids).logits.float()
        each = torch.nn.functional.cross_entropy(logits[0, start - 1 : -1], ids[0, start:], reduction="sum")
        surprise, tokens, characters = (
            surprise + float(each),
            tokens + ids.shape[1] - start,
            characters + len(row["answer"]),
        )
    assert found["rows"] == 5
    assert found["bits_per_character"] == pytest.approx(surprise / math.log(2) / characters, rel=0.02)
    assert found["perplexity"] == pytest.approx(math.exp(surprise / tokens), rel=0.05)


def test_the_sample_is_the_same_for_each_model_and_changes_with_the_seed(tmp_path: Path) -> None:
    file = make_split(tmp_path / "split", rows(40)) / "train.parquet"
    assert familiarity.sample(file, 5, 1) == familiarity.sample(file, 5, 1) != familiarity.sample(file, 5, 2)
    assert len(familiarity.sample(file, 99, 1)) == 40


def test_rows_that_no_model_can_read_are_refused_with_the_reason(tmp_path: Path) -> None:
    small = make_tiny_model(tmp_path / "models" / "small", context_length=16)
    split = make_split(tmp_path / "split", rows(3))
    with pytest.raises(Refused, match="16 tokens"):
        familiarity.measure(_worker(tmp_path / "work", small, split))
