import yaml

from ftkit.evaluation.report.card import render_card
from ftkit.evaluation.report.words import looks_sentence, words
from tests.unit.evaluation.report.test_sections import general, named
from tests.unit.evaluation.sample import measured, report_data, sample


def split_card(text: str) -> tuple[dict[str, object], str]:
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def test_the_card_has_the_hubs_metadata_and_the_reports_numbers() -> None:
    about, body = split_card(
        render_card(
            report_data(measured=measured(general=general(12), bias=named(biased=False), looks=2)), "org/base"
        )
    )
    assert about["base_model"] == "org/base"
    (model,) = about["model-index"]  # type: ignore[misc]
    values = {one["type"]: one["value"] for one in model["results"][0]["metrics"]}
    assert values["mood_accuracy"] == 0.875
    assert "| mood: accuracy | 25.0% | 87.5% | +62.5 points |" in body
    assert "It fell, and hardly by chance." in body
    assert looks_sentence(2, words("en")) in body
    assert "sha256:abc" in body
    assert "r: 16" in body
    assert "| Not JSON |" in body
    assert "About" not in body


def test_no_row_of_the_data_is_in_it() -> None:
    secret = "the secret letter"
    text = render_card(
        report_data(samples=[sample(0, prompt=secret, tuned_answer=secret)], measured=measured()), None
    )
    assert secret not in text
    assert "base_model" not in split_card(text)[0]


def test_a_run_without_evaluation_says_so() -> None:
    about, body = split_card(render_card(report_data(measured=None, evaluation=None), None))
    assert "model-index" not in about
    assert "Not evaluated yet." in body


def test_a_label_cannot_break_the_table() -> None:
    fields = measured()["fields"]
    fields["mo|od<b>"] = fields.pop("mood")
    told = measured(fields=fields)
    for part in ("base", "tuned", "difference"):
        told[part] = {name.replace("mood", "mo|od<b>"): value for name, value in told[part].items()}
    assert "| mo\\|od&lt;b>: accuracy |" in render_card(report_data(measured=told), None)
