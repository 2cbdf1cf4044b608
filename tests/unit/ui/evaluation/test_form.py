import gradio as gr
import pytest

from ftkit.errors import BadInput
from ftkit.evaluation.measuring.catalogue import METRICS, TASKS
from ftkit.evaluation.measuring.options import Options
from ftkit.ui.evaluation.form import MeasuredFields, chosen_options


def test_every_task_and_metric_can_be_chosen() -> None:
    with gr.Blocks():
        task, metrics, *_ = MeasuredFields().components
    assert [value for _, value in task.choices] == ["found", *TASKS]
    assert [value for _, value in metrics.choices] == list(METRICS)


def test_without_a_choice_everything_is_found() -> None:
    assert chosen_options("found", [], "", general=True, names=False) == Options()


def test_choices_become_options() -> None:
    checks = "- {name: a, kind: contains, texts: [x]}"
    found = chosen_options("chat", ["bleu", "length"], checks, general=False, names=True)
    assert found.as_json() == {
        "task": "chat",
        "metrics": ["bleu", "length"],
        "checks": [{"kind": "contains", "name": "a", "texts": ["x"]}],
        "general": False,
        "names": True,
    }


def test_checks_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(BadInput, match="cannot be used"):
        chosen_options("found", [], "- {name: a, kind: regex, pattern: '('}", general=True, names=False)
