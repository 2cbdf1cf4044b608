"""Every metric against another implementation, or against a case computed by hand."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from sklearn import metrics as sklearn_metrics

from ftkit.evaluation.measuring import corpus
from ftkit.evaluation.measuring.scores import answer_label
from ftkit.workers.evaluation.metrics import overlap
from ftkit.workers.evaluation.metrics.labels import Accuracy, Labels
from ftkit.workers.evaluation.metrics.likelihood import Perplexity, row_perplexity
from ftkit.workers.evaluation.metrics.overlap import Bleu, Chrf, Rouge1, Rouge2, RougeL
from ftkit.workers.evaluation.metrics.texts import (
    Distinct1,
    Distinct2,
    ExactMatch,
    JsonValid,
    Length,
    RefusalRate,
    TokenF1,
)
from tests.unit.workers.evaluation.answers import ANSWERS, PAIRS, PLAIN, REFERENCES

pytestmark = pytest.mark.training  # importing evaluate takes seconds

ROUGES = {"rouge1": Rouge1, "rouge2": Rouge2, "rougeL": RougeL}
# Each row alone, all together, all equal, and every way to leave one out.
CORPORA = [
    *([pair] for pair in PAIRS),
    PAIRS,
    [(reference, reference) for reference in REFERENCES],
    *(PAIRS[:n] + PAIRS[n + 1 :] for n in range(len(PAIRS))),
]


def compute(metric: type, folder: Path, pairs: list[tuple[str, str]], **more: object) -> dict[str, object]:
    answers, references = zip(*pairs, strict=True)
    return metric(cache_dir=str(folder), keep_in_memory=True).compute(
        predictions=list(answers), references=list(references), **more
    )


def command_line(folder: Path, pairs: list[tuple[str, str]], *more: str) -> list[dict[str, object]]:
    """What sacrebleu's own command says; a line of its files is a row."""
    for name, texts in zip(("answers", "references"), zip(*pairs, strict=True), strict=True):
        (folder / name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sacrebleu",
            "references",
            "-i",
            "answers",
            "-m",
            "bleu",
            "chrf",
            "-w",
            "10",
            *more,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("tokenize", ["13a", "zh", "char"])
def test_bleu_and_chrf_are_those_of_sacrebleus_command_line(tmp_path: Path, tokenize: str) -> None:
    pairs = [(a, r) for a, r in PAIRS if "\n" not in a + r]
    bleu, chrf = command_line(tmp_path, pairs, "-tok", tokenize)
    ours = compute(Bleu, tmp_path, pairs, tokenize=tokenize)
    assert ours["bleu"] == pytest.approx(bleu["score"], abs=1e-9)
    assert ours["signature"] == f"BLEU|{bleu['signature']}"
    ours = compute(Chrf, tmp_path, pairs)
    assert ours["chrf"] == pytest.approx(chrf["score"], abs=1e-9)
    assert ours["signature"] == f"chrF2|{chrf['signature']}"


@pytest.mark.parametrize("pairs", CORPORA)
def test_bleu_and_chrf_are_sacrebleus_on_every_corpus(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    answers, references = map(list, zip(*pairs, strict=True))
    bleu, chrf = sacrebleu.corpus_bleu(answers, [references]), sacrebleu.corpus_chrf(answers, [references])
    # The formulas of the bootstrap, on all rows once.
    sums = overlap.bleu_parts(answers, references, "13a").sum(axis=0, keepdims=True)
    assert corpus.bleu(sums)[0] == pytest.approx(bleu.score, abs=1e-9)
    sums = overlap.chrf_parts(answers, references).sum(axis=0, keepdims=True)
    assert corpus.chrf(sums)[0] == pytest.approx(chrf.score, abs=1e-9)
    if len(pairs) > 1:
        assert compute(Bleu, tmp_path, pairs)["bleu"] == pytest.approx(bleu.score, abs=1e-12)
        assert compute(Chrf, tmp_path, pairs)["chrf"] == pytest.approx(chrf.score, abs=1e-12)


@pytest.mark.parametrize(("answer", "reference"), PAIRS)
def test_a_row_is_sacrebleus_sentence(answer: str, reference: str) -> None:
    found = overlap.bleu_row(answer, reference, "13a")
    assert found == pytest.approx(sacrebleu.sentence_bleu(answer, [reference]).score)
    assert overlap.chrf_row(answer, reference) == pytest.approx(
        sacrebleu.sentence_chrf(answer, [reference]).score
    )


@pytest.mark.parametrize(
    ("references", "tokenize"),
    [
        (["The cat.", "Siparişim gelmedi."], "13a"),
        (["今天天气很好。", "OK"], "zh"),
        (["東京は大きい都市です"], "char"),
        (["한국어 문장입니다", "Привет"], "13a"),
        (["", "123"], "13a"),
    ],
)
def test_bleu_splits_words_as_the_script_needs(references: list[str], tokenize: str) -> None:
    assert overlap.bleu_tokenizer(references) == tokenize


@pytest.mark.parametrize(("answer", "reference"), PLAIN)
def test_rouge_of_plain_english_is_rouge_scores(answer: str, reference: str) -> None:
    wanted = RougeScorer(list(ROUGES), use_stemmer=False).score(reference, answer)
    for kind, metric in ROUGES.items():
        assert metric.row(answer, reference) == pytest.approx(wanted[kind].fmeasure, abs=1e-12)


def test_rouge_is_that_of_its_own_command_line(tmp_path: Path) -> None:
    pairs = [(a, r) for a, r in PLAIN if "\n" not in a + r and a.strip() and r.strip()]
    for name, texts in zip(("answers", "references"), zip(*pairs, strict=True), strict=True):
        (tmp_path / name).write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    flags = {
        "target_filepattern": "references",
        "prediction_filepattern": "answers",
        "output_filename": "scores.csv",
        "rouge_types": "rouge1,rouge2,rougeL",
        "use_stemmer": "false",
        "aggregate": "false",
    }
    command = [
        sys.executable,
        "-m",
        "rouge_score.rouge",
        *(f"--{key}={value}" for key, value in flags.items()),
    ]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    lines = [line.split(",") for line in (tmp_path / "scores.csv").read_text().splitlines()]
    heads = lines[0]
    assert len(lines) - 1 == len(pairs) >= 20
    for kind, metric in ROUGES.items():
        place = heads.index(f"{kind}-F")
        ours = [metric.row(answer, reference) for answer, reference in pairs]
        assert ours == pytest.approx([float(line[place]) for line in lines[1:]], abs=1e-6)
        assert compute(metric, tmp_path, pairs)[kind] == pytest.approx(np.mean(ours))


@pytest.mark.parametrize(
    ("answer", "reference", "rouge1", "rouge2", "longest"),
    [
        ("şekerli çay", "şekerli çay içtim", 4 / 5, 2 / 3, 4 / 5),
        ("çok güzel", "güzel çok", 1, 0, 1 / 2),
        ("IŞIK AÇIK", "ışık açık", 1, 1, 1),
        ("İzmir", "izmir", 1, 0, 1),
        ("sınır", "sinir", 0, 0, 0),  # border, nerve
        ("今天很好", "今天好", 6 / 7, 2 / 5, 6 / 7),
        ("Привет мир", "мир", 2 / 3, 0, 2 / 3),
        ("हिन्दी में", "हिन्दी", 2 / 3, 0, 2 / 3),
        ("café", "cafe\u0301", 1, 0, 1),
    ],
)
def test_rouge_knows_letters_beyond_a_to_z(
    answer: str, reference: str, rouge1: float, rouge2: float, longest: float
) -> None:
    found = [metric.row(answer, reference) for metric in ROUGES.values()]
    assert found == pytest.approx([rouge1, rouge2, longest])


def label_cases() -> list[tuple[list[str], list[str]]]:
    draw = np.random.default_rng(4)
    cases = [
        (["a"], ["a"]),
        (["a"], ["b"]),
        (["a"] * 5, ["a"] * 5),
        (["b"] * 5, ["a"] * 5),
        ([""] * 3, ["a", "b", "a"]),
        (["a", "", "invented", "b"], ["a", "a", "b", "b"]),
    ]
    for labels in (2, 3, 5):
        for rows in (1, 2, 7, 20, 60):
            names = [f"label {n}" for n in range(labels)]
            cases.append(
                (draw.choice([*names, "other", ""], rows).tolist(), draw.choice(names, rows).tolist())
            )
    return cases


@pytest.mark.parametrize(("answers", "references"), label_cases())
def test_label_metrics_are_scikit_learns(tmp_path: Path, answers: list[str], references: list[str]) -> None:
    found = compute(Labels, tmp_path, list(zip(answers, references, strict=True)))
    labels = sorted(set(references))
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(references, answers))
    for average in ("macro", "micro"):
        wanted = sklearn_metrics.f1_score(
            references, answers, labels=labels, average=average, zero_division=0
        )
        assert found[f"{average}_f1"] == pytest.approx(wanted)
    table = sklearn_metrics.classification_report(
        references, answers, labels=labels, output_dict=True, zero_division=0
    )
    for label in labels:
        row = found["by_label"][label]
        assert row["precision"] == pytest.approx(table[label]["precision"])
        assert row["recall"] == pytest.approx(table[label]["recall"])
        assert row["f1"] == pytest.approx(table[label]["f1-score"])
        assert row["support"] == table[label]["support"]


@pytest.mark.parametrize(("answer", "reference"), PAIRS)
def test_accuracy_of_one_row_is_equality_of_labels(answer: str, reference: str) -> None:
    assert Accuracy.row(answer, reference) == (answer_label(answer) == answer_label(reference))


@pytest.mark.parametrize(
    ("metric", "answer", "reference", "score"),
    [
        (ExactMatch, "a", "a", 1),
        (ExactMatch, "", "", 1),
        (ExactMatch, "", "a", 0),
        (JsonValid, '{"a": 1}', "{}", 1),
        (JsonValid, "a", "{}", 0),
        (JsonValid, "", "{}", 0),
        (JsonValid, "{}", "no object", None),
        (TokenF1, "the cat sat", "the cat", 4 / 5),
        (TokenF1, "IŞIK", "ışık", 1),
        (TokenF1, "", "a", 0),
        (TokenF1, "", "", 1),
        (Length, "one two, three!", "", 3),
        (Length, "", "", 0),
        (Length, "今天 OK", "", 3),
        (RefusalRate, "I'm sorry, but I can't help with that.", "", 1),
        (RefusalRate, "As an AI language model, I have no mood.", "", 1),
        (RefusalRate, "Üzgünüm, bu konuda yardımcı olamam.", "", 1),
        (RefusalRate, "The parcel is late, I am sorry.", "", 0),
        (RefusalRate, "", "", 0),
    ],
)
def test_rows_by_hand(metric: type, answer: str, reference: str, score: float | None) -> None:
    assert metric.row(answer, reference) == (None if score is None else pytest.approx(score))


def test_the_mean_leaves_out_what_cannot_be_compared(tmp_path: Path) -> None:
    assert compute(JsonValid, tmp_path, [("{}", "{}"), ("x", "{}"), ("{}", "x")]) == {"json_valid": 0.5}


@pytest.mark.parametrize(
    ("answers", "one", "two"),
    [
        (["a b c"], 1, 1),
        (["a a a"], 1 / 3, 1 / 2),
        (["a b", "a b"], 1 / 2, 1 / 2),
        (["a b", "b a"], 1 / 2, 1),
        (["", ""], 0, 0),
        (["a", ""], 1, 0),
        (["A a. A!"], 1 / 3, 1 / 2),
        (["evet hayır", "evet belki"], 3 / 4, 1),
        (["好好"], 1 / 2, 1),
    ],
)
def test_variety_by_hand(tmp_path: Path, answers: list[str], one: float, two: float) -> None:
    pairs = [(answer, "") for answer in answers]
    assert compute(Distinct1, tmp_path, pairs)["distinct_1"] == pytest.approx(one)
    assert compute(Distinct2, tmp_path, pairs)["distinct_2"] == pytest.approx(two)


@pytest.mark.parametrize("order", [1, 2])
def test_variety_is_that_of_nltks_ngrams(tmp_path: Path, order: int) -> None:
    from nltk.util import ngrams

    from ftkit.evaluation.measuring.scores import words

    metric = (Distinct1, Distinct2)[order - 1]
    for count in range(1, len(ANSWERS) + 1):
        every = [gram for answer in ANSWERS[:count] for gram in ngrams(words(answer), order)]
        found = compute(metric, tmp_path, PAIRS[:count])[f"distinct_{order}"]
        assert found == pytest.approx(len(set(every)) / len(every) if every else 0)


def test_perplexity_weighs_tokens_and_rows_have_their_own(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    for rows in range(1, 21):
        tokens = draw.integers(1, 50, rows)
        losses = [draw.exponential(2.0, count) for count in tokens]
        found = Perplexity(cache_dir=str(tmp_path), keep_in_memory=True).compute(
            predictions=[float(each.sum()) for each in losses], references=tokens.tolist()
        )
        assert found["perplexity"] == pytest.approx(math.exp(np.concatenate(losses).mean()))
    assert row_perplexity(30.0, 10) == pytest.approx(math.exp(3))
    assert row_perplexity(1e6, 1) is None
