"""What an evaluation measures, as fields of a form: the task, the metrics, and checks of one's own.

Takes nothing, gives Gradio components, and from their values ``Options``. It starts nothing.
"""

from typing import Any

import gradio as gr

from ftkit.evaluation.measuring.catalogue import METRICS, TASKS
from ftkit.evaluation.measuring.options import Options, read_checks
from ftkit.ui.i18n import t

_FOUND = "found"  # from the references


class MeasuredFields:
    """The fields, folded away: without a choice everything is found from the references."""

    def __init__(self) -> None:
        with gr.Accordion(t("evaluate.measured"), open=False, elem_id="evaluate-measured"):
            with gr.Row(elem_classes="ft-fields"):
                task = gr.Dropdown(
                    choices=[
                        (t("evaluate.task.found"), _FOUND),
                        *((t(f"evaluate.task.{one}"), one) for one in TASKS),
                    ],
                    value=_FOUND,
                    label=t("evaluate.task.label"),
                    info=t("evaluate.task.help"),
                    elem_id="evaluate-task",
                    min_width=260,
                )
                metrics = gr.Dropdown(
                    choices=[(t(f"evaluate.metric.{key}"), key) for key in METRICS],
                    value=[],
                    multiselect=True,
                    label=t("evaluate.metrics.label"),
                    info=t("evaluate.metrics.help"),
                    elem_id="evaluate-metrics",
                    min_width=320,
                )
            checks = gr.Textbox(
                lines=5,
                max_lines=20,
                label=t("evaluate.checks.label"),
                info=t("evaluate.checks.help"),
                placeholder="- name: order_number\n  kind: regex\n  pattern: '#\\d{5}'",
                elem_id="evaluate-checks",
            )
        with gr.Row(elem_classes="ft-fields"):
            general = gr.Checkbox(
                value=True,
                label=t("evaluate.general.label"),
                info=t("evaluate.general.help"),
                elem_id="evaluate-general",
                min_width=260,
            )
            names = gr.Checkbox(
                value=False,
                label=t("evaluate.names.label"),
                info=t("evaluate.names.help"),
                elem_id="evaluate-names",
                min_width=260,
            )
        self.components: list[Any] = [task, metrics, checks, general, names]


def chosen_options(task: str, metrics: list[str], checks: str, general: bool, names: bool) -> Options:
    """From the values of the fields.

    Raises:
        BadInput: the checks cannot be used.
    """
    return Options.from_json(
        {
            "task": None if task == _FOUND else task,
            "metrics": metrics or None,
            "checks": read_checks(checks or ""),
            "general": general,
            "names": names,
        }
    )
