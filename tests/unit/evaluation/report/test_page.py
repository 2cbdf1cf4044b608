import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from ftkit.evaluation.report.metrics import metric_rows, sentence
from ftkit.evaluation.report.page import examples, render
from ftkit.evaluation.report.words import words
from tests.unit.evaluation.sample import difference, measured, report_data, sample

ATTACK = '<script>alert(1)</script><img src=x onerror="x">'
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; checks that tags are closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def untrusted() -> Iterator[dict[str, object]]:
    data = report_data()
    yield {"run": data.run.model_copy(update={"name": ATTACK, "spec": {ATTACK: ATTACK}, "recipe": ATTACK})}
    yield {"dataset": data.dataset.model_copy(update={"name": ATTACK, "license": ATTACK})}
    yield {"samples": [sample(0, prompt=ATTACK, tuned_answer=ATTACK, base_answer=ATTACK, system=ATTACK)]}
    yield {"measured": measured(left_out_reasons={ATTACK: 3})}
    fields = measured()["fields"]
    fields["mood"]["labels"] = [ATTACK, "sad"]
    yield {"measured": measured(fields=fields)}
    yield {"lineage": [("run", "r", ATTACK)]}


@pytest.mark.parametrize("changes", list(untrusted()))
def test_nothing_from_files_or_models_becomes_markup(changes: dict[str, object]) -> None:
    html = render(report_data(**changes))
    page = Page(html)
    assert not {"script", "img", "iframe", "link"} & set(page.tags)
    assert "alert(1)" in page.text


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_page_asks_nobody_for_anything_and_is_light(language: str) -> None:
    html = render(report_data(), language)
    page = Page(html)
    assert not {name for name, _ in page.attributes} & {"src", "href", "srcset", "onload", "onclick"}
    assert "url(" not in html
    assert "@import" not in html
    assert "http:" not in html
    assert "https:" not in html
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert ("lang", language) in page.attributes
    assert len(html) < 200_000


def test_the_page_tells_the_whole_story() -> None:
    text = Page(render(report_data())).text
    for expected in (
        "Small model, taught with 126 rows of Letters",
        "135 million parameters",
        "128 to train, 16 to validate, 16 to test",
        "sha256:abc",
        "2 min 41 s",
        "1,234 tokens per second",
        "mood: accuracy",
        "87.5%",
        "+62.5 points",
        "+52.5 … +72.5",
        "1.65",
        "Evaluation rows left out: 3.",
        "2 × “answer” is empty",
        "Training rows left out: 2.",
        "Answers cut at the limit of 48 tokens: base 16, tuned 0.",
        "Every prompt begins with this instruction",
        "letters.csv",
    ):
        assert expected in text, expected


def test_the_page_speaks_turkish_with_turkish_numbers() -> None:
    text = Page(render(report_data(), "tr")).text
    for expected in (
        "Kısaca",
        "%87,5",
        "+62,5 puan",
        "1,65",
        "Saniyede 1.234 jeton",
        "Dışarıda bırakılan değerlendirme satırı: 3.",
    ):
        assert expected in text, expected
    english = set(words("en").sentences.values()) - set(words("tr").sentences.values())
    assert [
        sentence for sentence in english if " " in sentence and "{" not in sentence and sentence in text
    ] == []


def test_examples_are_spread_over_the_part() -> None:
    rows = [example.row for example in examples([sample(n) for n in range(100)], measured())]
    assert len(rows) == 12
    assert rows == sorted(set(rows))
    assert rows[0] == 1
    assert rows[-1] > 90


def test_an_example_says_which_fields_are_right() -> None:
    html = render(report_data(samples=[sample(0, tuned_answer='{"mood": "sad"}', tuned_cut=True)]))
    article = html[html.index("<article>") :]
    tuned = article[article.index("is-tuned") :]
    assert re.search(r'class="no">✗ mood', tuned)
    assert "cut at 48 tokens" in tuned


def test_verdicts_follow_direction_and_chance() -> None:
    numbers = measured(
        base={
            "perplexity": 2.0,
            "exact_match": 0.5,
            "mood_accuracy": 0.5,
            "token_f1": 0.5,
            "json_valid": 1.0,
        },
        tuned={
            "perplexity": 3.0,
            "exact_match": 0.2,
            "mood_accuracy": 0.7,
            "token_f1": 0.5,
            "json_valid": 0.0,
        },
        difference={
            "perplexity": difference(1.0),
            "exact_match": difference(-0.3, 0.01),
            "mood_accuracy": difference(0.2, 0.3),
            "token_f1": difference(0.0, 1.0),
            "json_valid": {"value": -1.0, "low": None, "high": None, "p": None},
        },
    )
    rows = metric_rows(numbers, words("en"))
    assert [row.tone for row in rows] == ["worse", "worse", "unclear", "same", "one_row"]
    assert rows[4].interval == "–"
    assert rows[4].p == "–"


def test_a_field_may_have_any_name() -> None:
    fields = {"json": measured()["fields"]["mood"], "_macro_f1": measured()["fields"]["mood"]}
    names = ["json_accuracy", "_macro_f1_accuracy", "_macro_f1_macro_f1"]
    values = dict.fromkeys(names, 0.5)
    numbers = measured(
        fields=fields, base=values, tuned=values, difference={n: difference(0.1) for n in names}
    )
    assert [row.name for row in metric_rows(numbers, words("en"))] == [
        "json: accuracy",
        "_macro_f1: accuracy",
        "_macro_f1: macro-F1",
    ]


def test_a_run_that_was_not_evaluated_still_has_a_report() -> None:
    text = Page(render(report_data(evaluation=None, measured=None, samples=[]))).text
    assert "ftkit evaluate run1" in text
    assert "Loss while training" in text


def test_a_part_that_was_trained_on_is_said_so() -> None:
    seen = report_data().evaluation.model_copy(update={"part": "train"})
    assert "which the training never saw" not in render(report_data(evaluation=seen))
    assert "of the training part" in render(report_data(evaluation=seen))


def test_plain_texts_have_perplexity_only() -> None:
    numbers = measured(
        base={"perplexity": 8.0},
        tuned={"perplexity": 2.0},
        difference={"perplexity": difference(-6.0)},
        fields={},
        skipped={"exact_match": "no_prompts", "chrf": "no_prompts"},
        answers={},
    )
    row = {**sample(0), "base_answer": None, "tuned_answer": None, "system": None}
    text = Page(render(report_data(measured=numbers, samples=[row]))).text
    assert "Not measured: Exact match, chrF (the rows are plain text" in text
    assert "Examples" not in text


def test_missing_records_leave_gaps_not_errors() -> None:
    text = Page(render(report_data(model=None, split=None, dataset=None, training={}, curve=[]))).text
    assert "No loss was recorded." in text


def judged(
    verdict: str, needed: int | None = None, p: float = 0.001, adjusted: float = 0.01
) -> dict[str, object]:
    told = {"value": 0.31, "low": 0.22, "high": 0.4, "p": p, "p_adjusted": adjusted}
    return {**told, "verdict": verdict, "rows_needed": needed}


@pytest.mark.parametrize(
    ("difference", "english", "turkish"),
    [
        (
            judged("better"),
            "Better: +0.310 accuracy, 95 % interval +0.220 to +0.400, 120 rows.",
            "Daha iyi: +0,310 accuracy, %95 aralığı +0,220 ile +0,400 arası, 120 satır.",
        ),
        (judged("worse"), "Worse: +0.310 accuracy", "Daha kötü: +0,310 accuracy"),
        (judged("changed"), "Changed: +0.310", "Değişti: +0,310"),
        (
            judged("unclear", 90, 0.2, 0.6),
            "Not enough evidence: about 90 more rows needed.",
            "Yeterli kanıt yok: yaklaşık 90 satır daha gerekli.",
        ),
        (
            judged("unclear", 1200, 0.03, 0.12),
            "with so many measures at once: about 1,200 more rows needed.",
            "yaklaşık 1.200 satır daha gerekli",
        ),
        (judged("unclear", None, 0.9, 1.0), "could not be told from none", "ayırt edilemez"),
        (judged("same"), "No difference in 120 rows.", "120 satırda fark yok."),
        (judged("one_row"), "One row says nothing about chance.", "Tek satır, şans"),
    ],
)
def test_a_metric_is_said_in_one_sentence(difference: dict[str, object], english: str, turkish: str) -> None:
    numbers = {"difference": {"accuracy": difference}, "fields": {}, "metric_rows": {"accuracy": 120}}
    assert english in sentence("accuracy", numbers, words("en"))
    assert turkish in sentence("accuracy", numbers, words("tr"))


def test_rows_of_the_table_have_their_unit_and_their_intervals() -> None:
    keys = ("accuracy", "bleu", "length", "perplexity", "check_order")
    values = dict(zip(keys, (0.5, 31.25, 12.5, 4.321, 0.75), strict=True))
    numbers = measured(
        base=values,
        tuned=values,
        fields={},
        difference={key: judged("better") for key in keys},
        intervals={"base": {"accuracy": [0.4, 0.6]}, "tuned": {"accuracy": [0.41, 0.61]}},
        reference={"length": 11.0},
    )
    rows = dict(zip(keys, metric_rows(numbers, words("en")), strict=True))
    assert [rows[key].base for key in keys] == ["50.0%", "31.2", "12.5", "4.32", "75.0%"]
    assert [rows[key].difference for key in keys] == ["+31.0 points", "+0.3", "+0.3", "+0.31", "+31.0 points"]
    assert (rows["accuracy"].base_interval, rows["accuracy"].tuned_interval) == ("40% … 60%", "41% … 61%")
    assert rows["bleu"].base_interval == ""
    assert rows["length"].says.endswith("The references: 11.0.")
    assert rows["check_order"].name == "Check: order"
    assert rows["accuracy"].p == "0.010"  # the adjusted one


def test_whole_answers_as_labels_have_a_table_and_the_exact_definitions_are_told() -> None:
    classes = {**measured()["fields"]["mood"], "labels": ["<b>glad", "sad"]}
    classes |= {what: {"base": [0.1, 0.2], "tuned": [0.33, 1.0]} for what in ("precision", "recall")}
    numbers = measured(
        fields={},
        classes=classes,
        base={"accuracy": 0.2},
        tuned={"accuracy": 0.9},
        difference={"accuracy": judged("better")},
        task="classification",
        signatures={"bleu": "BLEU|nrefs:1|tok:<13a>"},
        not_scored={"check_slow": 3},
        samples=[],
    )
    text = Page(render(report_data(measured=numbers, samples=[]))).text
    for expected in (
        "The whole answer",
        "<b>glad",
        "33%",
        "Measured as: classification",
        "BLEU|nrefs:1|tok:<13a>",
        "Check: slow: 3 rows are not scored",
        "adjusted (Holm)",
    ):
        assert expected in text, expected


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_further_run_stands_against_this_one(language: str) -> None:
    told = words(language)
    known = measured()
    other = {
        "name": ATTACK,
        "metrics": {**known["tuned"], "exact_match": 0.25},
        "difference": known["difference"],
        "against_tuned": {**known["difference"], "exact_match": difference(-0.25)},
    }
    page = Page(render(report_data(measured=measured(others={"r2": other})), language))
    assert "script" not in page.tags
    assert told.say("metrics.other", name=ATTACK) in page.texts
    assert told.say("metrics.this") in page.texts
    assert told.say("points", value=told.number(-25, 1, sign=True)) in page.texts


def test_an_accuracy_has_its_yardstick() -> None:
    """Eight of sixteen references are “glad”: always saying that is right half of the time."""
    rows = {row.name: row.says for row in metric_rows(measured(), words("en"))}
    assert rows["mood: accuracy"].endswith("Always giving the commonest value would get 50.0%.")
    assert "commonest" not in rows["mood: macro-F1"] + rows["Perplexity"]
