"""Each kind of model in every form that it takes, built, loaded again and compared by the export worker."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from ftkit.workers.export.__main__ import export
from ftkit.workers.exporting.job import ExportJob
from ftkit.workers.exporting.weights import merged_weights, tuned_model
from ftkit.workers.loading import load_model
from tests.exported import KINDS, make_job, make_kind

pytestmark = pytest.mark.training
_GGUF = ("merged", "gguf", "llama.cpp")
# Options → ways beside the trainer and the compare page. Servers compute in the precision of the weights, and a random model holds
# so many tokens for alike that no rounding of its numbers is small: that is for the bundled model, in the smoke tests.
FORMS: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({"target": "adapter"}, ("adapter",)),
    ({"target": "merged", "precision": "fp32"}, ("merged",)),
    ({"target": "merged", "precision": "bf16"}, ("merged",)),
    ({"target": "gguf", "quantization": "f32"}, _GGUF),
    ({"target": "gguf", "quantization": "f16"}, _GGUF),
    ({"target": "gguf", "quantization": "bf16"}, _GGUF),
    ({"target": "gguf", "quantization": "q8_0"}, _GGUF),
    ({"target": "endpoint", "precision": "fp32"}, ("endpoint",)),
    ({"target": "triton", "precision": "fp32"}, ("triton",)),
    ({"target": "docker", "precision": "fp32", "server": "vllm"}, ("docker",)),
    ({"target": "docker", "precision": "fp32", "server": "tgi"}, ("docker",)),
)
# What programs that only go on with a text take is not for it: the service refuses that before anything starts. The tokenizer of the
# tiny one is another one each time, so its weights are not rounded either.
_NOT_FOR_T5 = {"gguf", "vllm", "bf16"}
_FOR_T5 = [form for form in FORMS if not _NOT_FOR_T5 & set(form[0].values())]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("models")
    return {kind: make_kind(kind, home / kind / "tiny") for kind in KINDS}


@pytest.mark.faults
@pytest.mark.parametrize(
    ("kind", "options", "ways"),
    [
        pytest.param(kind, *form, id="-".join([kind, *form[0].values()]))
        for kind in KINDS
        for form in (_FOR_T5 if kind == "t5" else FORMS)
    ],
)
def test_each_form_answers_as_the_trained_model(
    tmp_path: Path, models: dict[str, Path], kind: str, options: dict[str, str], ways: tuple[str, ...]
) -> None:
    if options["target"] == "gguf":
        pytest.importorskip("xllamacpp")
    worker = make_job(tmp_path / "export", models[kind], **options)
    export(worker)
    rows = {row["way"]: row for row in read(worker.path / "parity.json")["rows"]}
    assert tuple(rows) == ("trainer", "compare", *ways)
    assert {row["token_ids_equal"] for row in rows.values()} == {True}
    notes = {
        way: row["note"] for way, row in rows.items() if way != "compare"
    }  # that one computes as it can here
    assert set(notes.values()) <= {"same", "rounding"}, notes


@pytest.mark.parametrize(("kind", "tuned"), [("flan", "adapter"), ("flan", "tiny"), ("first", "tiny")])
def test_a_merged_t5_says_whether_its_output_layer_is_its_own(
    tmp_path: Path, models: dict[str, Path], kind: str, tuned: str
) -> None:
    """Flan-T5's is; that of the first T5 is the table of its embeddings."""
    model = models["t5"] if kind == "flan" else tie(models["t5"], tmp_path / "tied" / "tiny")
    worker = make_job(
        tmp_path / "export", model, tuned=model.parent / tuned, target="merged", precision="fp32"
    )
    job = ExportJob.of(worker)
    folder = merged_weights(job, tmp_path / "merged")
    with safe_open(folder / "model.safetensors", "pt") as file:
        own = "lm_head.weight" in file.keys()  # noqa: SIM118 - it is no mapping
    config = read(folder / "config.json")
    assert (own, config["tie_word_embeddings"]) == ((True, False) if kind == "flan" else (False, True))
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        trained, merged = (
            one(input_ids=ids, decoder_input_ids=ids).logits
            for one in (tuned_model(job), load_model(folder, torch.float32))
        )
    torch.testing.assert_close(merged, trained, rtol=1e-4, atol=1e-4)


def tie(model: Path, folder: Path) -> Path:
    """The same model with its embeddings as its output layer, and outputs scaled as the first T5 does."""
    from transformers import T5Config, T5ForConditionalGeneration

    made: Any = T5ForConditionalGeneration
    values = read(model / "config.json")
    values.pop("scale_decoder_outputs")
    torch.manual_seed(0)
    made(T5Config(**{**values, "tie_word_embeddings": True})).save_pretrained(folder)
    for file in model.iterdir():
        if not (folder / file.name).exists():
            (folder / file.name).write_bytes(file.read_bytes())
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_text())
