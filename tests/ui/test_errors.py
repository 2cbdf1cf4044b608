"""The error analysis in a real browser on the triage sample: from a cell of the confusion table to a new dataset."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ftkit.evaluation.report.words import words
from ftkit.records import Evaluation, Part
from ftkit.settings import Settings
from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.finished_run import RUN
from tests.triage import add_triage
from tests.ui.conftest import Dashboard

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HOSTILE = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1><b>bold</b>"


@pytest.fixture(scope="module")
def evaluations(dashboard: Dashboard) -> dict[Part, str]:
    """By part; the second row of each was answered by somebody who means harm."""
    return add_triage(dashboard.home, {1: HOSTILE})


@pytest.fixture
def evaluation(evaluations: dict[Part, str]) -> str:
    return evaluations["validation"]


@pytest.fixture
def workspace(dashboard: Dashboard) -> Iterator[Workspace]:
    with Workspace(Settings.from_environment({"FTKIT_HOME": str(dashboard.home)})) as workspace:
        yield workspace


def rows(page: Page) -> list[int]:
    """The rows of the list, as their boxes have them."""
    expect(page.locator("#errors-rows .ft-tick").first).to_be_visible()
    return [int(box.get_attribute("value") or "") for box in page.locator("#errors-rows .ft-tick").all()]


def from_the_result_to_a_cell(page: Page, url: str, evaluation: str, lang: str) -> None:
    """The evaluate page leads here, and a number of the confusion table to its rows."""
    page.goto(f"{url}/evaluate?run={RUN}&evaluation={evaluation}")
    page.get_by_role("link", name=say("evaluate.errors", lang)).click()
    page.wait_for_url(re.compile(rf"/mistakes\?evaluation={evaluation}$"))
    cell = page.locator("#errors-confusion .ft-confusion").nth(1).locator("a.ft-miss").first
    count = int(cell.inner_text())
    cell.click()
    page.wait_for_url(re.compile("side=|field=category"))
    expect(page.locator("#errors-conditions .ft-chip")).to_contain_text("category")
    assert len(rows(page)) == min(count, 10)
    expect(page.locator("#errors-confusion a[aria-current]")).to_have_text(str(count))


def open_a_regression(page: Page, lang: str) -> None:
    """A row that only the base model had right, with what differs marked in words and by more than colour."""
    page.locator("#errors-conditions .ft-chip").click()
    page.get_by_role("link", name=say("mistakes.binary.regression", lang)).first.click()
    page.wait_for_url(re.compile("kind=regression"))
    page.locator("#errors-rows .ft-marks a").first.click()
    opened = page.locator("#errors-opened")
    tuned = opened.locator(".ft-pair > div").nth(1)
    expect(tuned.locator("del").first).to_have_text("billing")
    expect(tuned.locator("ins").first).to_be_visible()
    assert "line-through" in tuned.locator("del").first.evaluate(
        "one => getComputedStyle(one).textDecoration"
    )
    expect(opened.locator(".ft-pair > div").first).to_contain_text(say("mistakes.right", lang))
    expect(tuned).to_contain_text(words(lang).say("error.wrong_field", field="category"))
    page.get_by_role("link", name=say("mistakes.close", lang)).click()
    expect(page.locator("#errors-rows .ft-rows")).to_be_visible()


def choose_a_slice(page: Page, lang: str) -> None:
    page.goto(re.sub("&kind=regression|&row=.*", "", page.url))
    cut = page.locator("#errors-slices details", has_text=say("mistakes.cut.column", lang, name="channel"))
    if cut.get_attribute("open") is None:
        cut.locator("summary").click()
    row = cut.locator("tbody tr").filter(has_text="mail")
    count = int(row.locator("td").nth(1).inner_text())
    row.get_by_role("link").click()
    page.wait_for_url(re.compile("slice=column%3Achannel&value=mail"))
    expect(page.locator("#errors-rows [role=status]")).to_contain_text(str(count))


def tag_a_row(page: Page, lang: str) -> None:
    """By the keyboard alone; the tag is there after a reload, and leads to its rows."""
    page.locator("#errors-rows .ft-marks a").nth(0 if lang == "en" else 1).click()
    box = page.get_by_label(say("mistakes.tag.wrong_label", lang))
    expect(box).to_be_visible()
    box.focus()
    page.keyboard.press("Space")
    expect(page.locator("#errors-opened .ft-tag")).to_contain_text(say("mistakes.tag.wrong_label", lang))
    own = page.locator("#errors-own-tag").locator("input, textarea")
    own.fill(f"<b>ask Ayşe</b> {lang}")
    page.keyboard.press("Enter")
    expect(page.locator("#errors-opened .ft-tag")).to_have_count(2)
    page.reload()
    expect(page.locator("#errors-opened .ft-tag")).to_have_count(2)
    expect(box).to_be_checked()
    page.locator("#errors-answer textarea").fill(
        '{"category": "account", "priority": "low", "summary": "mended"}'
    )
    page.click("#errors-save-answer")
    expect(page.locator("#errors-opened .ft-marks").first).to_contain_text(say("mistakes.corrected", lang))
    page.locator("#errors-tags").get_by_role("link", name=f"<b>ask Ayşe</b> {lang}").click()
    page.wait_for_url(re.compile("tag="))
    assert len(rows(page)) == 1


def send_it_on(page: Page, lang: str) -> str:
    """The tagged row becomes a dataset, whose page shows it with the mended answer."""
    page.locator("#errors-send-part button").first.click()
    page.fill("#errors-send-name textarea, #errors-send-name input", f"Mended {lang}")
    page.click("#errors-send")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+$"))
    expect(page.get_by_role("heading", name=f"Mended {lang}")).to_be_visible()
    expect(page.locator("#row-chat")).to_contain_text("mended")
    return page.url.partition("dataset=")[2]


@pytest.mark.parametrize(
    ("lang", "locale"), [("en", "en-US"), pytest.param("tr", "tr-TR", marks=pytest.mark.faults)]
)
def test_from_a_cell_to_the_next_dataset(
    lang: str, locale: str, open_page, dashboard: Dashboard, evaluation: str, workspace: Workspace
) -> None:
    page = open_page(locale=locale)
    from_the_result_to_a_cell(page, dashboard.url, evaluation, lang)
    open_a_regression(page, lang)
    choose_a_slice(page, lang)
    tag_a_row(page, lang)
    made = workspace.data.get(send_it_on(page, lang))
    (row,) = workspace.data.rows(made.id)
    assert (row["from_part"], row["from_evaluation"], row["channel"]) == ("validation", evaluation, "mail")
    split = workspace.splits.get(workspace.artefacts.get(Evaluation, evaluation).split)
    assert made.parents == (evaluation, split.dataset)
    assert {kind for kind, *_ in workspace.artefacts.lineage(made.id)} >= {
        "evaluation",
        "run",
        "split",
        "dataset",
        "upload",
    }


@pytest.mark.parametrize("page", [{"locale": "en-US"}, {"locale": "tr-TR"}], indirect=True, ids=["en", "tr"])
def test_the_report_is_whole_and_loads_nothing(page: Page, dashboard: Dashboard, evaluation: str) -> None:
    told = words(page.evaluate("navigator.language")[:2])
    page.goto(f"{dashboard.url}/evaluate?run={RUN}&evaluation={evaluation}")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name=say("evaluate.report", told.language)).click()
    report = opened.value
    asked: list[str] = []
    report.on("request", lambda request: asked.append(request.url))
    report.reload()
    for heading in ("metrics", "fields", "failures", "examples", "left_out", "health", "energy", "lineage"):
        expect(report.get_by_role("heading", name=told.say(heading), exact=True)).to_be_visible()
    expect(report.locator("table.confusion").first).to_contain_text("billing")
    failures = report.locator("section", has_text=told.say("failures.kind"))
    expect(failures.locator("tbody tr").first).to_contain_text(told.say("error.wrong_field", field=""))
    assert report.evaluate("window.pwned") is None
    assert asked == [report.url], "one file, nothing from anywhere"
    report.emulate_media(media="print")
    assert report.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_an_answer_that_means_harm_stays_text(page: Page, dashboard: Dashboard, evaluation: str) -> None:
    page.goto(f"{dashboard.url}/mistakes?evaluation={evaluation}&sort=row&row=1")
    expect(page.locator("#errors-rows")).to_contain_text("<b>bold</b>")
    expect(page.locator("#errors-opened")).to_contain_text("<b>bold</b>")
    page.goto(f"{page.url}&tag=%3Cimg+src%3Dx+onerror%3Dwindow.pwned%3D1%3E")
    expect(page.locator("#errors-conditions")).to_contain_text("<img src=x")
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("#errors-rows b, #errors-opened b, [onerror]").count() == 0


def test_ticked_rows_are_tagged_together_and_rows_of_the_test_part_ask_first(
    page: Page, dashboard: Dashboard, evaluations: dict[Part, str], workspace: Workspace
) -> None:
    evaluation = evaluations["test"]
    page.goto(f"{dashboard.url}/mistakes?evaluation={evaluation}&sort=row")
    ticked = rows(page)[2:4]
    for row in ticked:
        page.get_by_label(say("mistakes.tick", "en", n=row + 1), exact=True).check()
    page.locator("#errors-ticked button").first.click()
    page.click("#errors-tag-ticked")
    expect(page.locator("#errors-rows .ft-tag")).to_have_count(2)
    tags = workspace.mistakes.look(evaluation).tags
    assert [row for row in ticked if "wrong label" in tags[row]] == ticked
    page.locator("#errors-send-part button").first.click()
    expect(page.locator("#errors-warning")).to_contain_text(say("mistakes.send.test", "en"))
    page.get_by_label(say("mistakes.send.ticked", "en")).check()
    page.click("#errors-send")
    expect(page.locator("[data-testid=toast-body]")).to_contain_text("the answers of its own exam")
    before = {one.id for one in workspace.data.all()}
    for row in ticked:
        page.get_by_label(say("mistakes.tick", "en", n=row + 1), exact=True).check()
    page.get_by_label(say("mistakes.send.sure", "en")).check()
    page.click("#errors-send")
    page.wait_for_url(re.compile(r"/data\?dataset=\w+$"))
    (made,) = (one for one in workspace.data.all() if one.id not in before)
    assert [row["from_part"] for row in workspace.data.rows(made.id)] == ["test", "test"]
    expect(page.get_by_text("cannot be judged by them any more")).to_be_visible()
