import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from ftkit.errors import BadInput, Refused, WorkerFault
from ftkit.evaluation.bias.names import NAMES
from ftkit.evaluation.measuring.certainty import perplexity
from ftkit.workers import loading
from ftkit.workers.evaluate import evaluate
from ftkit.workers.evaluation import asking as worker_module
from ftkit.workers.evaluation import likelihoods
from ftkit.workers.evaluation.likelihoods import each_nll
from ftkit.workers.evaluation.prepared import default_limit, prepare_rows
from ftkit.workers.harness import Stopped, Worker
from ftkit.workers.loading import load_tokenizer, load_with_adapter
from ftkit.workers.training.rows import FastTokenizer
from tests.finished_run import MAPPING, tickets
from tests.tiny import make_tiny_adapter, make_tiny_model

pytestmark = pytest.mark.training


@pytest.fixture(autouse=True)
def same_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # In bfloat16, which some processors compute in, the rows of a batch differ from the same rows alone.
    monkeypatch.setattr(loading, "answer_dtype", lambda: torch.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a tiny model is slower on several
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")
    make_tiny_adapter(folder, folder.parent / "adapter")
    return folder


def make_worker(folder: Path, model: Path, rows: list[dict[str, Any]], **inputs: Any) -> Worker:
    split = folder / "split"
    split.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows or tickets(1)).slice(0, len(rows)), split / "test.parquet")
    job = folder / "job"
    job.mkdir()
    given = {
        "split": str(split),
        "mapping": MAPPING,
        "part": "test",
        "model": str(model),
        "tuned": str(model.parent / "adapter"),
        "seed": 42,
        "max_new_tokens": 12,
        "general": False,
        **inputs,
    }
    (job / "inputs.json").write_text(json.dumps(given))
    return Worker(job)


def read(worker: Worker) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    report = json.loads((worker.path / "report.json").read_text())
    return report, pq.read_table(worker.path / "samples.parquet").to_pylist()


def test_both_models_are_measured_on_the_same_rows(tmp_path: Path, model: Path) -> None:
    rows = [*tickets(5), {"system": "s", "question": "no answer", "answer": ""}]
    worker = make_worker(tmp_path, model, rows)
    assert evaluate(worker) == {"rows": 5, "left_out": 1, "models_loaded": 1}
    report, samples = read(worker)
    assert report["left_out_reasons"] == {"“answer” is empty": 1}
    assert set(report["base"]) == {
        "perplexity",
        "exact_match",
        "token_f1",
        "json_valid",
        "category_accuracy",
        "category_macro_f1",
        "summary_token_f1",
    }
    assert report["tuned"].keys() == report["base"].keys() == report["difference"].keys()
    assert report["tuned"]["perplexity"] != report["base"]["perplexity"]
    assert report["signature"]["max_new_tokens"] == 12
    assert report["signature"]["rows_hash"].startswith("sha256:")
    assert [sample["row"] for sample in samples] == [0, 1, 2, 3, 4]
    assert [sample["prompt"] for sample in samples] == [row["question"] for row in rows[:5]]
    assert {sample["system"] for sample in samples} == {"Sort it."}
    assert all(sample["base_answer"] != sample["tuned_answer"] for sample in samples)
    for side in ("base", "tuned"):
        assert report["answers"][side]["cut"] == sum(sample[f"{side}_cut"] for sample in samples)
        mean = sum(sample[f"{side}_token_f1"] for sample in samples) / 5
        assert report[side]["token_f1"] == pytest.approx(mean)


def test_perplexity_counts_the_completion_only_and_ignores_padding(model: Path) -> None:
    rows = [*tickets(3), {**tickets(1)[0], "question": "a much longer question " * 6}]
    both, tokenizer = load_with_adapter(model, model.parent / "adapter"), load_tokenizer(model)
    prepared, _ = prepare_rows(rows, MAPPING, FastTokenizer(model), 512)
    text = tokenizer.decode(prepared[0].ids[prepared[0].start :])
    assert text == rows[0]["answer"] + "<|im_end|>\n"
    tuned = nlls(both, tokenizer, prepared)
    assert tuned == pytest.approx([_slow_nll(both, row.ids, row.start) for row in prepared], rel=1e-5)
    with both.disable_adapter():
        base = nlls(both, tokenizer, prepared)
        assert base == pytest.approx([_slow_nll(both, row.ids, row.start) for row in prepared], rel=1e-5)
    assert base != pytest.approx(tuned, rel=1e-3)


def test_a_plain_prompt_is_asked_and_scored_without_a_chat_template(model: Path) -> None:
    encode = FastTokenizer(model)
    rows = [{"p": "### Question:\nmy parcel\n\n### Answer:\n", "c": "late"}]
    (row,), left_out = prepare_rows(rows, {"prompt": "p", "completion": "c"}, encode, 512)
    assert not left_out
    assert row.asked == encode.text(rows[0]["p"])
    assert encode.pieces(row.ids[row.start :])[-1] == "<|im_end|>"
    assert "".join(encode.pieces(row.ids)) == rows[0]["p"] + "late<|im_end|>"
    assert (row.prompt, row.reference) == ([{"role": "user", "content": rows[0]["p"]}], "late")


def test_base_is_the_model_without_its_adapter(tmp_path: Path, model: Path) -> None:
    from transformers import AutoModelForCausalLM

    worker = make_worker(tmp_path, model, tickets(3))
    evaluate(worker)
    _, samples = read(worker)
    plain = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    tokenizer = load_tokenizer(model)
    prepared, _ = prepare_rows(tickets(3), MAPPING, FastTokenizer(model), 512)
    for sample, row in zip(samples, prepared, strict=True):
        assert sample["base_nll"] == pytest.approx(_slow_nll(plain, row.ids, row.start), rel=1e-4)
        made = plain.generate(torch.tensor([row.asked]), max_new_tokens=12, do_sample=False)[
            0, len(row.asked) :
        ]
        assert tokenizer.decode(made, skip_special_tokens=True) == sample["base_answer"]


def test_a_whole_tuned_model_is_measured_beside_its_base(tmp_path: Path, model: Path) -> None:
    other = make_tiny_model(tmp_path / "other", seed=5)
    worker = make_worker(tmp_path / "whole", model, tickets(3), tuned=str(other))
    evaluate(worker)
    _, samples = read(worker)
    swapped = make_worker(tmp_path / "swapped", other, tickets(3), tuned=str(model))
    evaluate(swapped)
    for one, two in zip(samples, read(swapped)[1], strict=True):
        assert (one["base_nll"], one["tuned_nll"]) == (two["tuned_nll"], two["base_nll"])
        assert one["base_answer"] == two["tuned_answer"] != one["tuned_answer"]


def test_the_same_inputs_give_the_same_report(tmp_path: Path, model: Path) -> None:
    found = []
    for name in ("a", "b"):
        worker = make_worker(tmp_path / name, model, tickets(4))
        evaluate(worker)
        found.append(read(worker))
    assert found[0] == found[1]


def test_an_empty_part_is_refused(tmp_path: Path, model: Path) -> None:
    with pytest.raises(Refused, match="The test part of the split has no rows"):
        evaluate(make_worker(tmp_path, model, []))


def test_a_part_without_a_usable_row_is_refused_with_the_reasons(tmp_path: Path, model: Path) -> None:
    rows = [{**row, "answer": ""} for row in tickets(2)]
    worker = make_worker(tmp_path, model, rows)
    with pytest.raises(Refused, match="None of the 2 rows .* is empty"):
        evaluate(worker)
    assert not (worker.path / "report.json").exists()


def test_a_row_longer_than_the_model_reads_is_left_out_and_counted(tmp_path: Path, model: Path) -> None:
    worker = make_worker(tmp_path, model, [*tickets(1), {**tickets(1)[0], "question": "zq " * 600}])
    evaluate(worker)
    report, _ = read(worker)
    assert report["left_out_reasons"] == {"longer than the 512 tokens that the model can read": 1}


def test_plain_texts_get_perplexity_and_say_what_is_skipped(tmp_path: Path, model: Path) -> None:
    rows = [{"text": "siparişim gecikti"}, {"text": "my parcel is late and the kettle will not boil"}]
    worker = make_worker(tmp_path, model, rows, mapping={"text": "text"})
    evaluate(worker)
    report, samples = read(worker)
    assert list(report["base"]) == ["perplexity"]
    assert {"exact_match", "token_f1", "chrf"} <= set(report["skipped"])
    assert samples[0]["tuned_perplexity"] > 0
    assert samples[0]["base_answer"] is None
    nll, tokens = (
        torch.tensor([s[k] for s in samples], dtype=torch.float64).numpy()
        for k in ("base_nll", "scored_tokens")
    )
    assert report["base"]["perplexity"] == pytest.approx(perplexity(nll, tokens))


def test_a_stop_leaves_no_report(tmp_path: Path, model: Path) -> None:
    worker = make_worker(tmp_path, model, tickets(3))
    worker.folder.ask_to_stop()
    with pytest.raises(Stopped):
        evaluate(worker)
    assert not (worker.path / "report.json").exists()


def test_a_stop_between_two_tokens_drops_the_batch(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = make_worker(tmp_path, model, tickets(3), max_new_tokens=400)
    looks = []

    def asked() -> bool:
        looks.append(worker.folder.state()["phase"])
        return looks.count("generating") > 3

    monkeypatch.setattr(worker, "stop_asked", asked)
    with pytest.raises(Stopped):
        evaluate(worker)
    assert looks.count("generating") < 10  # of 400 tokens
    assert not (worker.path / "samples.parquet").exists()


def test_numbers_that_are_not_finite_fail_with_words(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likelihoods, "_batch_nlls", lambda _model, _tokenizer, rows: [math.nan] * len(rows))
    with pytest.raises(WorkerFault, match="not finite. Train again"):
        evaluate(make_worker(tmp_path, model, tickets(2)))


def test_a_model_without_template_is_refused(tmp_path: Path, model: Path) -> None:
    bare = make_tiny_model(tmp_path / "bare")
    make_tiny_adapter(bare, tmp_path / "adapter")
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(BadInput, match="template"):
        evaluate(make_worker(tmp_path / "job", bare, tickets(2)))


@pytest.mark.parametrize(("longest", "limit"), [(1, 32), (40, 60), (1000, 512)])
def test_the_default_limit_leaves_room_for_half_as_much_again(longest: int, limit: int) -> None:
    row = worker_module.Prepared(0, [1] * (longest + 5), 5, [1], [], "x")
    assert default_limit([row]) == limit


def nlls(model: Any, tokenizer: Any, rows: list[worker_module.Prepared]) -> list[float]:
    found = dict(one for batch in each_nll(model, tokenizer, rows) for one in batch)
    return [found[index] for index in range(len(rows))]


@torch.no_grad()
def _slow_nll(model: Any, ids: list[int], start: int) -> float:
    scores = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), dim=-1)
    return -sum(float(scores[place - 1, ids[place]]) for place in range(start, len(ids)))


def asked_of_models(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Filled with the number of prompts of each batch that models are asked from now on."""
    asked: list[int] = []
    answer_batch = worker_module.answer_batch

    def noted(model: Any, **given: Any) -> Any:
        asked.append(len(given["prompts"]))
        return answer_batch(model, **given)

    monkeypatch.setattr(worker_module, "answer_batch", noted)
    return asked


def test_each_model_is_asked_once_for_the_same_rows(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = str(tmp_path / "cache")
    first = make_worker(tmp_path / "first", model, tickets(4), cache=cache)
    asked = asked_of_models(monkeypatch)
    assert evaluate(first)["models_loaded"] == 1
    assert asked == [8], "both sides of all rows in one batch"
    make_tiny_adapter(model, tmp_path / "other", seed=5)
    again = make_worker(tmp_path / "again", model, tickets(4), cache=cache, tuned=str(tmp_path / "other"))
    evaluate(again)
    assert asked == [8, 4], "the tuned model alone"
    (one, samples), (other, others) = read(first), read(again)
    assert one["base"] == other["base"]
    assert [s["base_answer"] for s in samples] == [s["base_answer"] for s in others]
    assert one["tuned"] != other["tuned"]
    for changed in ({"max_new_tokens": 11}, {"rows": tickets(5)}):
        rows = changed.pop("rows", tickets(4))
        evaluate(make_worker(tmp_path / str(len(asked)), model, rows, cache=cache, **changed))
    assert asked[2:] == [8, 10], "with another limit or other rows it is asked anew"


def test_other_metrics_ask_no_model(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = str(tmp_path / "cache")
    first = make_worker(tmp_path / "first", model, tickets(4), cache=cache)
    evaluate(first)
    asked = asked_of_models(monkeypatch)
    monkeypatch.setattr(worker_module, "load_group", None)  # calling it would fail
    again = make_worker(tmp_path / "again", model, tickets(4), cache=cache, metrics=["exact_match"])
    assert evaluate(again)["models_loaded"] == 0
    assert asked == []
    texts = ("base_answer", "tuned_answer", "base_nll", "tuned_nll", "base_cut", "tuned_tokens")
    assert [[s[key] for key in texts] for s in read(first)[1]] == [
        [s[key] for key in texts] for s in read(again)[1]
    ]


def test_the_same_weights_with_another_alpha_are_another_model(tmp_path: Path, model: Path) -> None:
    cache = str(tmp_path / "cache")
    first = make_worker(tmp_path / "first", model, tickets(2), cache=cache)
    evaluate(first)
    louder = tmp_path / "louder"
    shutil.copytree(model.parent / "adapter", louder)
    config = json.loads((louder / "adapter_config.json").read_text())
    (louder / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 64}))
    again = make_worker(tmp_path / "again", model, tickets(2), cache=cache, tuned=str(louder))
    assert evaluate(again)["models_loaded"] == 1
    assert read(first)[0]["tuned"]["perplexity"] != read(again)[0]["tuned"]["perplexity"]


def test_further_runs_answer_the_same_rows_as_each_alone(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {
        "mixing": make_tiny_adapter(model, tmp_path / "mixing", seed=5),
        "dora": make_tiny_adapter(model, tmp_path / "dora", seed=6, use_dora=True),
        "whole": make_tiny_model(tmp_path / "whole", seed=7),
    }
    others = [{"run": run, "name": f"Run {run}", "tuned": str(folder)} for run, folder in folders.items()]
    asked = asked_of_models(monkeypatch)
    worker = make_worker(tmp_path / "all", model, tickets(4), others=others)
    assert evaluate(worker)["models_loaded"] == 2, "the whole model and the one with all adapters"
    assert asked == [12, 4, 4], "base and adapters that mix in one batch, the others apart"
    report, samples = read(worker)
    assert set(report["answers"]) == {"base", "tuned", *folders}
    assert set(report["signature"]["others_hashes"]) == set(folders)
    for run, folder in folders.items():
        alone = make_worker(tmp_path / f"alone-{run}", model, tickets(4), tuned=str(folder))
        evaluate(alone)
        for sample, own in zip(samples, read(alone)[1], strict=True):
            assert sample["base_answer"] == own["base_answer"]
            assert sample["base_nll"] == pytest.approx(own["base_nll"], rel=1e-5)
            assert sample[f"{run}_answer"] == own["tuned_answer"] != sample["tuned_answer"]
            assert sample[f"{run}_nll"] == pytest.approx(own["tuned_nll"], rel=1e-5)


def test_a_stopped_evaluation_goes_on_where_it_was(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftkit.workers.generation._BATCH_ROWS", 4)
    whole = make_worker(tmp_path / "whole", model, tickets(6))
    evaluate(whole)
    worker = make_worker(tmp_path / "stopped", model, tickets(6))
    advances: list[int] = []
    monkeypatch.setattr(worker, "advance", lambda: advances.append(1))
    monkeypatch.setattr(worker, "stop_asked", lambda: len(advances) > 30)
    with pytest.raises(Stopped):
        evaluate(worker)
    kept = [
        json.loads(line)
        for file in (worker.path / "answers").iterdir()
        for line in file.read_text().splitlines()
    ]
    done = sum("answer" in one for one in kept)
    assert 0 < done < 12
    assert sum("nll" in one for one in kept) == 12
    torn = next((worker.path / "answers").iterdir())
    torn.write_bytes(torn.read_bytes()[:-5])  # as a crash would leave it
    asked = asked_of_models(monkeypatch)
    again = Worker(worker.path)
    progress: list[tuple[str, int, int]] = []
    tell = again.progress
    monkeypatch.setattr(
        again,
        "progress",
        lambda phase, *at, **more: progress.append((phase, *at)) or tell(phase, *at, **more),
    )
    evaluate(again)
    assert sum(asked) == 12 - done + 1, "the torn one again, and none of the others"
    assert next(one for one in progress if one[0] == "generating")[1:] == (done - 1, 12)
    assert read(again) == read(whole)


@pytest.mark.parametrize("context", [512, 100])
def test_answers_that_the_context_cuts_are_counted(tmp_path: Path, context: int) -> None:
    small = make_tiny_model(tmp_path / "small", context_length=context)
    make_tiny_adapter(small, tmp_path / "adapter")
    worker = make_worker(tmp_path / "job", small, tickets(3), max_new_tokens=90)
    evaluate(worker)
    report, samples = read(worker)
    for side in ("base", "tuned"):
        short = [sample for sample in samples if sample[f"{side}_cut"] and sample[f"{side}_tokens"] < 90]
        assert report["answers"][side]["out_of_context"] == len(short) == (0 if context == 512 else 3)


def test_what_was_asked_for_is_what_is_measured(tmp_path: Path, model: Path) -> None:
    made = [{"kind": "contains", "name": "json", "texts": ["{"]}]
    worker = make_worker(tmp_path, model, tickets(3), task="chat", metrics=["bleu", "length"], checks=made)
    evaluate(worker)
    report, samples = read(worker)
    assert report["task"] == "chat"
    assert list(report["base"]) == ["bleu", "length", "check_json"]
    assert report["checks"] == made
    assert samples[0]["tuned_check_json"] in (0.0, 1.0)
    with pytest.raises(BadInput, match="no metric “bleurt”"):
        evaluate(make_worker(tmp_path / "wrong", model, tickets(3), metrics=["bleurt"]))


def test_general_questions_and_other_names_are_asked_beside_the_rows(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = str(tmp_path / "cache")
    beside = {"general": True, "names": True, "max_new_tokens": 2, "cache": cache}
    first = make_worker(tmp_path / "first", model, tickets(4), **beside)
    assert evaluate(first)["models_loaded"] == 1
    report, _ = read(first)
    assert report["general"]["overall"]["questions"] == 72
    assert set(report["general"]["skills"]) == {"knowledge", "arithmetic", "turkish", "instructions"}
    assert {report["bias"][side]["answers"] for side in ("base", "tuned")} == {4 * len(NAMES)}
    asked = asked_of_models(monkeypatch)
    again = make_worker(tmp_path / "again", model, tickets(2), **beside | {"names": False})
    evaluate(again)
    assert asked == [4], "general questions are remembered for other rows too"
    assert read(again)[0]["general"] == report["general"]
    assert "bias" not in read(again)[0]
