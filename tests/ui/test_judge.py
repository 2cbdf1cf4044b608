"""The judge on the evaluate page in a browser: asked, failing on three rows in ten, and asked again for just these."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from ftkit.records import Evaluation, Job
from ftkit.settings import Settings
from ftkit.store.files import write_json
from ftkit.store.jobs import JobTable
from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.judge_server import judge_server
from tests.unit.evaluation.sample import measured, sample

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
NOW = datetime(2026, 11, 26, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)> no idea"


@pytest.fixture(scope="module")
def evaluation(dashboard) -> str:
    """A finished evaluation as its worker left it, with a hostile answer in it."""
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        made = Evaluation(
            id="eval1", name="First · test", created_at=NOW, run="run1", split="s1", part="test"
        )
        folder = workspace.folders.evaluation(made.id)
        folder.mkdir(parents=True)
        rows = [sample(n, **({"base_answer": HOSTILE} if n == 4 else {})) for n in range(10)]
        pq.write_table(pa.Table.from_pylist(rows), folder / "samples.parquet")
        write_json(folder / "report.json", measured(rows=10))
        workspace.artefacts.add(made)
        job = Job(
            id="j1", kind="evaluate", lane="compute", artefact=made.id, state="done", nonce="n", queued_at=NOW
        )
        JobTable(workspace._database).add(job)
    return made.id


def fill(page: Page, name: str, text: str) -> None:
    page.locator(f"#judge-{name} textarea, #judge-{name} input").first.fill(text)


@pytest.mark.parametrize(
    "page", [{}, {"locale": "tr-TR", "width": 390, "scheme": "dark"}], indirect=True, ids=["en", "tr"]
)
def test_a_failing_judge_is_asked_again(page: Page, dashboard, evaluation: str, request) -> None:
    lang = request.node.callspec.id
    ills = {"letter 2\n": "error", "letter 5\n": "prose", "letter 8\n": "no_json"}
    language = {"en": "English", "tr": "Türkçe"}[lang]
    marks = {"en": "ANSWER", "tr": "YANIT"}[lang]

    def ail(question: str, _: int) -> str | None:
        return next((ills[row] for row in ills if row in question), None)

    with judge_server(ail=ail, choose=lambda a, b: "B" if "no idea" in a else "A", marks=marks) as judge:
        page.goto(f"{dashboard.url}/evaluate?evaluation={evaluation}")
        page.locator("#judge-ask button").first.click()
        expect(page.locator("#judge-language").get_by_label(language)).to_be_checked()
        fill(page, "endpoint", "file:///etc/passwd")
        fill(page, "name", "fake")
        page.click("#judge-start")
        expect(page.get_by_test_id("toast-body")).to_contain_text("http://")
        page.get_by_test_id("toast-close").first.click()
        fill(page, "endpoint", judge.url)
        page.keyboard.press("Tab")
        expect(page.locator("#judge-sent")).to_contain_text("20")
        page.click("#judge-start")

        result = page.locator("#judge-result")
        expect(result).to_contain_text(say("judge.missing", lang, n=3))
        expect(result).to_contain_text("%70" if lang == "tr" else "70%")
        expect(result.locator(".ft-outcomes")).to_contain_text(f"{say('judge.outcome.tuned', lang)} 7")
        result.get_by_text(say("judge.examples", lang)).first.click()
        expect(result.locator("table").first).to_contain_text(HOSTILE)
        expect(result.locator("img")).to_have_count(0)
        judge.ail, before = None, len(judge.asked)
        page.click("#judge-retry")
        expect(result.locator(".ft-outcomes")).to_contain_text(f"{say('judge.outcome.tuned', lang)} 10")
        expect(page.locator("#judge-retry")).to_be_hidden()
        assert len(judge.asked) - before == 6
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
