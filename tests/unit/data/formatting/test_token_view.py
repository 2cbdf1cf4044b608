"""What the token view shows is what the trainer gets, token by token."""

from pathlib import Path
from typing import Any

import pytest

from ftkit.data.chat import training_row
from ftkit.data.storage import iterate_rows
from ftkit.errors import BadInput, NotFound
from ftkit.workers.training.prepared import prepare
from ftkit.workers.training.rows import FastTokenizer
from tests.tiny import make_tiny_t5
from tests.unit.data.formatting.conftest import TEMPLATES
from tests.unit.workers.runs import no_run

ROWS = [
    {
        "system": "Sort the message." if n % 2 else "",
        "question": f"my parcel nr {n} is late, İyi günler 👋\nkettle",
        "answer": f"  {word}: my kettle will boil {n} ",
        "worse": f"no {n}",
    }
    for n, word in enumerate(["billing", "Gecikti", "{'a': 1}", "delivery\n\nlate", "x"])
]
MAPPING = {"system": "system", "user": "question", "assistant": "answer"}
PREFERENCE = {"system": "system", "user": "question", "chosen": "answer", "rejected": "worse"}


def trainer_of(model: Path, data: list[Any], out: Path, completion_only: bool, prepared: bool) -> Any:
    """A real trainer: over rows that ftkit prepared, as a run has it, or over rows that TRL prepares itself."""
    from datasets import Dataset

    from ftkit.training.spec import RunSpec
    from ftkit.workers.loading import load_model, load_tokenizer
    from ftkit.workers.training.arguments import training_arguments
    from ftkit.workers.training.trainer import RunTrainer

    values = {"per_device_train_batch_size": 3, "completion_only_loss": completion_only}
    spec = RunSpec.parse({"model_name_or_path": "tiny", **values})
    arguments = training_arguments(spec, out, validates=False, fast=False, bf16=False)
    if not prepared:
        arguments.dataset_kwargs, arguments.padding_free = None, False
    return RunTrainer(
        model=load_model(model),
        args=arguments,
        train_dataset=Dataset.from_list(data),
        processing_class=load_tokenizer(model),
        interrupted=lambda: None,
        keeping=no_run(),
    )


def batches(trainer: Any) -> list[tuple]:
    """The rows with their labels as the trainer's batches hold them, without what stands between and around them."""
    found: list[tuple] = []
    for batch in trainer.get_train_dataloader():
        for place, (ids, labels) in enumerate(zip(batch["input_ids"], batch["labels"], strict=True)):
            if "attention_mask" in batch:
                real = batch["attention_mask"][place].bool()
                found.append((ids[real].tolist(), labels[real].tolist()))
                continue
            starts = [*(batch["position_ids"][place] == 0).nonzero().flatten().tolist(), len(ids)]
            found += [
                (ids[begin:end].tolist(), labels[begin:end].tolist())
                for begin, end in zip(starts, starts[1:], strict=False)
            ]
    return sorted(found)


def seen(service, of: str, rows: int, model: str, **options: Any) -> list[tuple]:
    views = [service.token_view(of, row, model, **options) for row in range(rows)]
    assert [view.problem for view in views] == [""] * rows
    return sorted(
        ([one.id for one in view.tokens], [one.id if one.trained else -100 for one in view.tokens])
        for view in views
    )


@pytest.mark.training
@pytest.mark.filterwarnings(
    "ignore:.*deprecated.*:FutureWarning"
)  # TRL and transformers about their own names
@pytest.mark.parametrize("shape", ["chat", "completion", "text", "preference"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_tokens_and_labels_are_those_of_the_trainer(
    service, imported, models, home, tmp_path, template, shape
) -> None:
    old = imported(ROWS, PREFERENCE if shape == "preference" else MAPPING)
    model = template if shape == "text" else ""
    made = service.format(old.id, shape, model=model)
    rows = list(iterate_rows(home / "datasets" / made.id / "rows.parquet"))
    assert len(rows) == len(ROWS)
    data = [training_row(row, made.mapping) for row in rows]
    file = home / "datasets" / made.id / "rows.parquet"
    for completion_only in (True, False):
        ours = seen(service, made.id, len(rows), template, completion_only=completion_only)
        prepared = prepare(file, made.mapping, FastTokenizer(models / template), 512, completion_only)
        token_rows = [row._asdict() for row in prepared.rows]
        assert ours == batches(trainer_of(models / template, data, tmp_path, completion_only, False))
        first_masked = [(ids, [-100, *labels[1:]]) for ids, labels in ours]
        got = batches(trainer_of(models / template, token_rows, tmp_path, completion_only, True))
        assert [(ids, [-100, *labels[1:]]) for ids, labels in got] == first_masked
        assert any(label == -100 for _, labels in ours for label in labels) == completion_only


def test_the_text_by_a_models_template_is_what_the_conversation_gives(service, imported, home) -> None:
    old = imported(ROWS, MAPPING)
    for name in ("chatml", "bare"):
        made = service.format(old.id, "text", model=name)
        as_text, as_chat = seen(service, made.id, 5, name), seen(service, old.id, 5, name)
        if name == "chatml":  # the newline behind the end token is left out: it teaches nothing
            assert as_text == [(ids[:-1], labels[:-1]) for ids, labels in as_chat]
        else:
            assert [ids for ids, _ in as_text] == [ids for ids, _ in as_chat]


def test_pieces_make_the_text_again_and_half_characters_are_empty(service, imported) -> None:
    old = imported(ROWS, MAPPING)
    view = service.token_view(old.id, 1, "chatml")
    text = "".join(one.text for one in view.tokens)
    assert text == (
        "<|im_start|>system\nSort the message.<|im_end|>\n<|im_start|>user\nmy parcel nr 1 is late, İyi günler 👋\n"
        "kettle<|im_end|>\n<|im_start|>assistant\n  Gecikti: my kettle will boil 1 <|im_end|>\n"
    )
    assert any(not one.text for one in view.tokens)
    assert "".join(one.text for one in view.tokens if one.trained) == (
        "  Gecikti: my kettle will boil 1 <|im_end|>\n"
    )


def test_tokens_behind_the_limit_are_marked(service, imported) -> None:
    old = imported(ROWS, MAPPING)
    view = service.token_view(old.id, 0, "chatml", max_length=20)
    assert view.limit == 20
    assert [one.beyond for one in view.tokens] == [place >= 20 for place in range(len(view.tokens))]
    assert service.token_view(old.id, 0, "chatml", max_length=4096).limit == 512


@pytest.mark.training
def test_question_and_answer_of_an_encoder_decoder_model_each_have_the_limit(
    service, imported, models
) -> None:
    make_tiny_t5(models / "t5")
    tokenizer = FastTokenizer(models / "t5")
    old = imported(ROWS, MAPPING)
    view = service.token_view(old.id, 1, "t5", max_length=20)
    asked = tokenizer.text(f"Sort the message.\n\n{ROWS[1]['question']}")
    answered = tokenizer.text(ROWS[1]["answer"])
    assert [one.id for one in view.tokens] == [*asked, *answered]
    assert [one.trained for one in view.tokens] == [False] * len(asked) + [True] * len(answered)
    places = [*range(len(asked)), *range(len(answered))]
    assert [one.beyond for one in view.tokens] == [place >= 20 for place in places]
    assert view.longest == max(len(asked), len(answered))
    old = imported([{"text": "my parcel is late"}], {"text": "text"})
    assert service.token_view(old.id, 0, "t5").problem == (
        "it is one text, and this model needs a question and an answer"
    )


def test_a_row_of_a_split_and_a_row_that_teaches_nothing(service, splits, imported) -> None:
    rows = [{**ROWS[n % 5], "question": f"{chr(97 + n) * 9} {n}?"} for n in range(15)]
    old = imported([*rows, {"system": "", "question": "q", "answer": ""}], MAPPING)
    split = splits.split(old.id, near=False)
    view = service.token_view(split.id, 0, "chatml", part="test")
    assert view.tokens
    assert service.token_view(old.id, 15, "chatml").problem == "“answer” is empty"
    for wrong in ({"row": 99}, {"row": -1}, {"row": 0, "part": "../x"}):
        with pytest.raises(BadInput):
            service.token_view(split.id, model="chatml", **{"part": "test", **wrong})
    with pytest.raises(NotFound):
        service.token_view(old.id, 0, "nothing")
