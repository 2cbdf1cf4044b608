"""The parity table of the bundled model: every way to it, in its exported forms and over HTTP, beside the trained model itself."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from ftkit.export.options import ExportOptions
from ftkit.export.service import ExportView
from ftkit.server.gateway.app import alone
from ftkit.server.gateway.service import Gateway
from ftkit.serving.engines.asking import EngineName
from ftkit.workspace import FIRST_SAMPLE, Workspace
from tests.unit.server.conftest import serving

pytestmark = [pytest.mark.smoke, pytest.mark.timeout(3600)]


class Exported(NamedTuple):
    """What is exported, and the ways that it is asked on."""

    options: ExportOptions
    ways: tuple[str, ...]
    engine: EngineName | None = None

    @property
    def name(self) -> str:
        target = self.options.target
        numbers = {"adapter": "", "gguf": self.options.quantization}.get(target, self.options.precision)
        return f"{target} {numbers}".rstrip()


_GGUF = ("merged", "gguf", "llama.cpp")
MATRIX = (
    Exported(ExportOptions(target="adapter"), ("adapter",)),
    Exported(ExportOptions(target="merged", precision="fp32"), ("merged",)),
    Exported(ExportOptions(target="merged", precision="bf16"), ("merged",), "resident"),
    Exported(ExportOptions(target="gguf", quantization="f32"), _GGUF),
    Exported(ExportOptions(target="gguf", quantization="f16"), _GGUF),
    Exported(ExportOptions(target="gguf", quantization="bf16"), _GGUF),
    Exported(ExportOptions(target="gguf", quantization="q8_0"), _GGUF, "llamacpp"),
    Exported(ExportOptions(target="endpoint"), ("endpoint",)),
    Exported(ExportOptions(target="triton"), ("triton",)),
    Exported(ExportOptions(target="docker"), ("docker",)),
)


@pytest.fixture(scope="module")
def run(workspace: Workspace) -> str:
    """A short run of the default recipe."""
    workspace.data.import_sample(FIRST_SAMPLE)
    split = workspace.splits.split(f"sample-{FIRST_SAMPLE}").id
    recipe = "smollm2-135m/sft-lora"
    short = {"max_steps": 12, "eval_steps": 12, "warmup_steps": 1}
    spec = workspace.training.recipe(recipe).spec.model_copy(update=short)
    made = workspace.training.start(spec, split, recipe)
    view = workspace.training.wait(made.id)
    assert view.state == "done", view.job.error
    return made.id


@pytest.fixture(scope="module")
def table(pytestconfig: pytest.Config) -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    """(export, way) → row; printed as one table at the end."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    yield found
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    reporter.write_line(f"\n{'export':14} {'way':10} {'same tokens':12} {'same answers':13} difference")
    for (name, way), row in found.items():
        answers = f"{row['equal_answers']} of {row['prompts']}"
        reporter.write_line(
            f"{name:14} {way:10} {'' if row['token_ids_equal'] is None else row['token_ids_equal']!s:12} "
            f"{answers:13} {_difference(row)}"
        )


def _difference(row: dict[str, Any]) -> str:
    first = row["first_difference"]
    if first is None:
        return "none"
    return (
        f"{row['note']} of {row['rounding']}: prompt {first['prompt'] + 1}, token {first['token'] + 1}: {first['got']!r} for "
        f"{first['expected']!r}, {first['gap']:.1%} apart (explained up to {first['tolerance']:.0%})"
    )


@pytest.mark.parametrize("exported", MATRIX, ids=lambda one: one.name.replace(" ", "-"))
def test_each_way_answers_as_the_trained_model(
    workspace: Workspace, run: str, exported: Exported, table: dict[tuple[str, str], dict[str, Any]]
) -> None:
    view = workspace.exports.wait(workspace.exports.create(run, exported.options).id)
    assert view.job.state == "done", view.job.error
    assert view.parity is not None
    rows = {row["way"]: row for row in view.parity["rows"]}
    assert tuple(rows) == ("trainer", "compare", *exported.ways)
    if exported.engine is not None:
        rows["served"] = _served(workspace, view, exported.engine)
    for way, row in rows.items():
        table[("the run" if way in {"trainer", "compare"} else exported.name), way] = row
    assert {row["token_ids_equal"] for way, row in rows.items() if way != "served"} <= {True}
    assert {row["note"] for row in rows.values()} <= {"same", "rounding"}


def _served(workspace: Workspace, view: ExportView, engine: EngineName) -> dict[str, Any]:
    """The row of the export behind the gateway: deployed after its test, asked over HTTP with a key."""
    version = workspace.serving.deploy(f"export:{view.export.id}", engine)
    version = workspace.serving.wait(version.id, 600)
    assert version.state == "live", version.smoke
    key = workspace.keys.create("smoke", requests_per_minute=None).secret
    assert view.parity is not None
    tokens = max(len(prompt["said"]) for prompt in view.parity["prompts"])
    with (
        serving(alone(Gateway.of(workspace))) as url,
        httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=300, trust_env=False
        ) as http,
    ):

        def ask(messages: list[dict[str, str]]) -> str:
            asked = {"model": "ftkit", "messages": messages, "temperature": 0, "max_tokens": tokens}
            reply = http.post("/v1/chat/completions", json=asked)
            assert reply.status_code == 200, reply.text
            assert reply.json()["model"] == version.id
            return str(reply.json()["choices"][0]["message"]["content"])

        rounding = "q8_0" if engine == "llamacpp" else view.options.precision
        row = workspace.exports.hear(view.export.id, "served", ask, rounding)
    parity = workspace.exports.get(view.export.id).parity
    assert parity is not None
    assert parity["rows"][-1] == row
    return row
