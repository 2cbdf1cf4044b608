"""Screenshots of every page: light and dark, wide and narrow, over real finished runs.

    python -m tests.ui.shots [DATA_FOLDER]

Without a data folder a quickstart fills one first (minutes). Writes ``docs/images/<page>-<scheme>-<width>.png``.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ftkit.data.health.service import CheckOptions
from ftkit.data.prompts.service import PromptService
from ftkit.export.options import ExportOptions
from ftkit.ratings.sampling import Sampling
from ftkit.ratings.studies.options import Source, StudyOptions
from ftkit.records import Run
from ftkit.settings import Settings
from ftkit.training.spec import RunSpec
from ftkit.training.sweeps.trials import Plan
from ftkit.ui.ratings.form import guidelines
from ftkit.workspace import Workspace
from tests.ui import watched
from tests.ui.conftest import ARGUMENTS, CHROMIUM, ROOT, Dashboard
from tests.ui.rated import rate_all

IMAGES = ROOT / "docs" / "images"
SCHEMES = ("light", "dark")
WIDTHS = (1280, 390)
PATIENCE = 180_000  # milliseconds; the first answer waits for the model
# What is there once a page is whole.
READY = {
    "home": "#home-runs table",
    "data": "#row-chat .ft-bubble",
    "check": "#check-result .histogram",
    "clean": "#clean-list input",
    "tokens": "#tokens-seen .ft-token",
    "model": "#model-here table",
    "train": "#train-card .ft-facts",
    "sweeps": "#sweep-plot svg",
    "runs": "#plot-loss svg path[aria-roledescription='line mark']",
    "evaluate": "#evaluate-samples table",
    "compare": "#compare-row input",
    "ratings": "#study-made a, #study-results table",
    "ratings-new": "#study-cost .ft-notice",
    "serve": "#serve-now .ft-canary",
    "monitor": "#monitor-drift .ft-finding",
    "export": "#export-result table",
    "settings": "#settings-versions dl",
    "mistakes": "#errors-slices details",
    "curves": "#plot-runs svg path[aria-roledescription='line mark']",
}


def addresses(home: Path) -> dict[str, str]:
    """Each page's address, with the newest evaluated run and its data, which is checked for that."""
    with Workspace(Settings.from_environment({**os.environ, "FTKIT_HOME": str(home)})) as workspace:
        evaluation = workspace.evaluation.all()[0].evaluation
        run = workspace.training.get(evaluation.run).run
        dataset = workspace.splits.get(run.split).dataset
        runs = [one.run.id for one in workspace.training.all() if one.state == "done"][:2]
        looked_for = CheckOptions(model=workspace.models.all()[0].id)
        workspace.health.wait(workspace.health.start(dataset, looked_for).id)
        sweep = newest_sweep(workspace, run)
        study = rated_study(workspace, run)
        watched_model(workspace, run)
        serve(workspace, run)
        export = newest_export(workspace, run)
    return {
        "home": "/",
        "data": f"/data?dataset={dataset}&split={run.split}",
        "check": f"/check?dataset={dataset}",
        "clean": f"/clean?dataset={dataset}",
        "tokens": f"/tokens?dataset={dataset}&split={run.split}",
        "model": "/model",
        "train": f"/train?split={run.split}",
        "sweeps": f"/sweeps?sweep={sweep}",
        "runs": f"/runs?run={run.id}",
        "evaluate": f"/evaluate?run={run.id}",
        "mistakes": f"/mistakes?evaluation={evaluation.id}&row=8",
        "compare": f"/compare?run={run.id}",
        "ratings": f"/ratings?study={study}",
        "ratings-new": f"/ratings?run={run.id}&part=validation",
        "serve": f"/serve?run={run.id}",
        "monitor": "/monitor",
        "export": f"/export?export={export}",
        "settings": "/settings",
        "curves": f"/curves?runs={','.join(runs)}",
    }


def newest_sweep(workspace: Workspace, run: Run) -> str:
    """The newest sweep that found something, or a short one over the run's data (minutes)."""
    found = next((view.sweep.id for view in workspace.sweeps.all() if view.best), None)
    if found is not None:
        return found
    plan = Plan(space={"learning_rate": "1e-4..5e-3:log", "r": "4,8,16"}, trials=6)
    spec = RunSpec.parse({**run.spec, "max_steps": 3, "eval_steps": 1})
    sweep = workspace.sweeps.start(spec, run.split, run.recipe, plan)
    return workspace.sweeps.wait(sweep.id).sweep.id


def newest_export(workspace: Workspace, run: Run) -> str:
    """The newest export that is done, or one made now."""
    found = next((view.export.id for view in workspace.exports.all() if view.report), None)
    if found is not None:
        return found
    made = workspace.exports.create(run.id, ExportOptions(target="merged"))
    return workspace.exports.wait(made.id).export.id


def rated_study(workspace: Workspace, run: Run) -> str:
    """The newest study with ratings, or one over the run's validation part that three made-up people rate (minutes)."""
    found = next((view.study.id for view in workspace.studies.all() if view.ratings), None)
    if found is not None:
        return found
    sides = (f"base:{run.model}", f"run:{run.id}")
    options = StudyOptions(
        name="Which reply would you rather send?",
        sides=sides,
        overlap=3,
        guidelines=guidelines("pairs", "en"),
        sampling=Sampling(max_new_tokens=96),
    )
    study = workspace.loop.new_study(options, Source(split=run.split, part="validation"), rows=12).id
    workspace.studies.wait(study)
    workspace.studies.open(study)
    rate_all(workspace, study, workspace.studies.invite(study, ["Ayşe", "John", "Mehmet"]), better=sides[1])
    workspace.studies.close(study)
    return study


def serve(workspace: Workspace, run: Run) -> None:
    """The run live with its base model as a canary, and a key (a minute)."""
    if workspace.serving.state().canary is None:
        workspace.serving.wait(workspace.serving.deploy(f"run:{run.id}").id)
        workspace.serving.wait(workspace.serving.canary(f"base:{run.model}", 0.1).id)
    if not workspace.keys.all():
        workspace.keys.create("Website", tokens_per_day=200_000)


def watched_model(workspace: Workspace, run: Run) -> None:
    """A day of requests to the run, of which the newest ask for something that it has never learned, and a check that finds this."""
    if workspace.traffic.count():
        return
    version = watched.serve(workspace, f"run:{run.id}", run.name)
    drawn = PromptService(workspace.artefacts, workspace.folders).of_split(run.split, "train", 60, 1)
    usual = [one.messages[-1]["content"] for one in drawn.prompts]
    ids = watched.ask(
        workspace, version, [*usual, *(f"{text} ({n})" for n in range(8) for text in watched.FAR)]
    )
    watched.judge(workspace, ids)
    workspace.drift.wait(workspace.drift.start_check(version))


def fill(home: Path) -> None:
    """Data, a run and its evaluation, and a second run beside it, made as a person would make them."""
    environment = {**os.environ, "FTKIT_HOME": str(home)}
    ftkit = [sys.executable, "-m", "ftkit"]
    subprocess.run([*ftkit, "quickstart"], env=environment, check=True)
    with Workspace(Settings.from_environment({**os.environ, "FTKIT_HOME": str(home)})) as workspace:
        split = workspace.training.all()[0].run.split
    lower = ["--set", "learning_rate=2e-4", "--name", "A lower learning rate"]
    subprocess.run(
        [*ftkit, "train", "smollm2-135m/sft-lora", "--split", split, *lower], env=environment, check=True
    )


def ask(page: Page) -> None:
    """Let both models answer a question of the test part."""
    page.click("#compare-row input")
    page.get_by_role("option").nth(1).click()
    expect(page.locator("#answer-reference h3")).to_be_visible()
    page.click("#compare-ask")
    expect(page.locator("#compare-status p:not(.ft-waiting)")).to_be_visible(timeout=PATIENCE)


def preview(page: Page) -> None:
    """Let the cleaning steps show what they would do."""
    page.click("#clean-preview")
    page.locator("#clean-preview-rows .ft-facts").wait_for()


# What is done on a page before its picture is taken.
FIRST = {"compare": ask, "clean": preview}


def take(browser: Browser, dashboard: Dashboard, pages: dict[str, str], scheme: str, width: int) -> None:
    """All pages in one scheme and width."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-US"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(dashboard.link())
    for name, address in pages.items():
        page.goto(dashboard.url + address)
        page.locator(READY[name]).first.wait_for()
        if name in FIRST:
            FIRST[name](page)
        page.evaluate("document.activeElement.blur(); window.scrollTo(0, 0)")
        page.wait_for_timeout(800)  # plots and fonts settle
        path = IMAGES / f"{name}-{scheme}-{width}.png"
        page.screenshot(path=path, full_page=True)
        # Flat colours: a palette holds them in a third of the bytes.
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
        print(path.relative_to(ROOT), f"{path.stat().st_size / 1000:.0f} kB")  # noqa: T201 - a script's output
    context.close()


def shoot(home: Path) -> None:
    """Every page of a filled data folder."""
    pages = addresses(home)
    IMAGES.mkdir(parents=True, exist_ok=True)
    dashboard = Dashboard(home)
    dashboard.start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            for scheme in SCHEMES:
                for width in WIDTHS:
                    take(browser, dashboard, pages, scheme, width)
            browser.close()
    finally:
        dashboard.end()


def main() -> None:
    """Shoot over the data folder of the first argument, or over a fresh one."""
    if len(sys.argv) > 1:
        shoot(Path(sys.argv[1]).resolve())
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder).resolve()
        fill(home)
        shoot(home)


if __name__ == "__main__":
    main()
