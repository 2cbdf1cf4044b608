"""Ratings as their owner sees them: a study made, opened, watched live and read; and from a finished one to a better model."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ftkit.ui.i18n import say
from ftkit.workspace import Workspace
from tests.studied import make_study
from tests.ui.conftest import watch
from tests.ui.rated import RUN, SIDES, add_finished_run, opened, rate_all

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
SLOW = 120_000  # milliseconds; a busy machine imports torch for half a minute
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def workspace(dashboard) -> Iterator[Workspace]:
    """The dashboard's data folder, with a finished run in it."""
    with opened(dashboard.home) as workspace:
        add_finished_run(workspace, name=f"First {HOSTILE}")
        yield workspace


def text(page: Page, field: str, value: str) -> None:
    page.locator(f"#{field} textarea, #{field} input").first.fill(value)
    page.keyboard.press("Tab")


def answered(prompt: int, side: str) -> str:
    """What the models say: the tuned one where the thing is, the base model nothing that helps."""
    return f"The kettle is on shelf {prompt}." if side == SIDES[1] else f"No no no {prompt} no."


@pytest.mark.parametrize(
    "page", [{}, {"locale": "tr-TR", "width": 390, "scheme": "dark"}], indirect=True, ids=["en", "tr"]
)
def test_without_a_trained_model_the_page_says_what_is_needed(page: Page, dashboard, request) -> None:
    lang = request.node.callspec.id
    page.goto(f"{dashboard.url}/ratings")
    expect(page.locator("#studies")).to_contain_text(say("ratings.empty.title", lang))
    expect(page.locator("#study-new")).to_be_hidden()
    page.get_by_role("link", name=say("ratings.empty.train", lang)).click()
    page.wait_for_url(re.compile(r"/train"))


@pytest.mark.parametrize(
    "page", [{}, {"locale": "tr-TR", "width": 390, "scheme": "dark"}], indirect=True, ids=["en", "tr"]
)
def test_the_form_says_what_is_wrong_and_what_it_will_cost(
    page: Page, dashboard, workspace: Workspace, request
) -> None:
    lang = request.node.callspec.id
    page.goto(f"{dashboard.url}/ratings?run={RUN}&part=validation")
    sides = page.locator("#study-sides")
    expect(sides).to_contain_text(f"First {HOSTILE}")
    expect(page.locator("#study-guidelines textarea")).to_have_value(say("ratings.guide.pairs", lang))
    cost = page.locator("#study-cost")
    text(page, "study-rows", "4")
    expect(cost).to_contain_text(re.compile(r"12 .*4 .* 3.* 8 .* 8 "))
    page.locator("#study-protocol").get_by_label(say("ratings.protocol.scales", lang)).check()
    expect(page.locator("#study-criteria textarea")).to_have_value(say("ratings.criteria.default", lang))
    expect(page.locator("#study-guidelines textarea")).to_have_value(say("ratings.guide.scales", lang))
    text(page, "study-points", "1")
    page.locator("#study-source").get_by_label(say("ratings.source.own", lang)).check()
    expect(page.locator("#study-gold")).to_be_hidden()
    page.click("#study-start")
    mistakes = page.locator("#study-mistakes")
    expect(mistakes).to_contain_text(say("ratings.mistake.points", lang))
    expect(mistakes).to_contain_text(say("ratings.mistake.texts", lang))
    expect(cost).to_contain_text(say("ratings.cost.no_texts", lang))
    expect(page.locator("#study-reference")).to_be_hidden()
    text(page, "study-points", "5")
    expect(mistakes).not_to_contain_text(say("ratings.mistake.points", lang))
    expect(mistakes).to_contain_text(say("ratings.mistake.texts", lang))
    text(page, "study-name", f"Is First {HOSTILE} good?")
    expect(cost).to_contain_text(say("ratings.mistake.named", lang, name=f"First {HOSTILE}"))
    expect(page.locator("#study-new img")).to_have_count(0)
    assert workspace.studies.all() == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_an_owner_makes_a_study_and_sees_a_rating_arrive(
    page: Page, dashboard, workspace: Workspace, browser
) -> None:
    page.goto(f"{dashboard.url}/ratings")
    expect(page.locator("#study-cost")).to_contain_text("Ratings to give")
    text(page, "study-name", f"Prompts {HOSTILE}")
    page.locator("#study-source").get_by_label(say("ratings.source.own", "en")).check()
    text(page, "study-texts", f"Where is my kettle?\n{HOSTILE}\nWhere is the lamp?")
    text(page, "study-overlap", "1")
    page.locator("#study-advanced button").first.click()
    text(page, "study-longest", "8")
    expect(page.locator("#study-cost")).to_contain_text(
        "Ratings to give: 3 (items 3 × raters per item 1), about 2 min"
    )
    page.click("#study-start")
    page.wait_for_url(re.compile(r"/ratings\?study=\w+$"))
    study = page.url.rpartition("=")[2]

    page.click("#study-open", timeout=SLOW)  # the answers came without a reload
    expect(page.locator("#study-head")).to_contain_text("Ratings: 0 of 3")
    expect(page.locator("#study-items details")).to_have_count(3)
    page.locator("#study-items summary").nth(1).click()
    expect(page.locator("#study-items details").nth(1)).to_contain_text("Tiny random model")
    links = invite_two(page, dashboard.url)
    rate_one(browser, links[0], dashboard.url)
    expect(page.locator("#study-head")).to_contain_text("Ratings: 1 of 3")
    expect(page.locator("#study-raters tbody tr").first).to_contain_text("1")
    expect(page.locator("#study-results")).to_contain_text(say("ratings.results.early", "en"))

    comment_one(page, workspace, links[1])

    page.click("#study-close")
    page.click("#study-close-yes")
    expect(page.locator("#study-reopen")).to_be_visible()
    expect(page.locator("#study-results")).not_to_contain_text(say("ratings.results.early", "en"))
    unseen = page.get_by_text("Textbox", exact=True).filter(visible=True)
    expect(unseen).to_have_count(0)  # what only leads on stays unseen
    check_history(page, changes=2)
    assert workspace.studies.get(study).ratings == 2
    assert [one.values["choice"] for one in workspace.studies.rated(study)] in ([0, "tie"], [1, "tie"])


def invite_two(page: Page, url: str) -> list[str]:
    """First nobody, which is refused, then two people; gives their links."""
    page.click("#invite")
    expect(page.get_by_test_id("toast-body")).to_be_visible()
    expect(page.locator("#invite-names").get_by_text("Error", exact=True).filter(visible=True)).to_have_count(
        0
    )
    page.get_by_test_id("toast-close").click()
    text(page, "invite-names", f"Ayşe\n{HOSTILE}")
    page.click("#invite")
    links = page.locator("#invite-links code")
    expect(links).to_have_count(2)
    expect(page.locator("#study-raters tbody tr")).to_have_count(2)
    expect(page.locator("#study img")).to_have_count(0)
    found = links.all_inner_texts()
    assert all(link.startswith(f"{url}/invite/") for link in found)
    return found


def comment_one(page: Page, workspace: Workspace, link: str) -> None:
    """A rating with a comment and a better answer, which arrives while an item is unfolded."""
    told = workspace.raters.task(token := link.rpartition("/")[2])
    values = {"choice": "tie", "comment": f"Why {HOSTILE}", "edits": {"0": f"Better {HOSTILE}"}}
    workspace.raters.submit(token, told["task"]["id"], "b" * 32, values, 9.0)
    items = page.locator("#study-items")
    expect(items).to_contain_text(f"Why {HOSTILE}")
    expect(items).to_contain_text(f"Better {HOSTILE}")
    expect(items.locator(".ft-said li")).to_have_count(2)
    expect(items.locator("details").nth(1)).to_have_attribute("open", "")
    expect(page.locator("#study img")).to_have_count(0)


def check_history(page: Page, changes: int) -> None:
    """The answer stays, and the page of a closed study asks nobody by itself."""
    asked: list[str] = []
    page.reload()
    expect(page.locator("#study-verify")).to_be_visible()
    expect(page.locator("#study-items details")).to_have_count(3)
    page.wait_for_timeout(1000)
    page.on("request", lambda request: asked.append(request.url) if "/queue/join" in request.url else None)
    page.click("#study-verify")
    good = say("ratings.verify.good", "en", changes=changes)
    expect(page.locator("#study-verified")).to_contain_text(good)
    page.wait_for_timeout(1500)  # what took it away did so within half a second, by asking without end
    expect(page.locator("#study-verified")).to_contain_text(good)
    assert len(asked) == 1


def rate_one(browser, link: str, url: str) -> None:
    """Open an invitation where nobody is signed in, and rate the first task."""
    context = browser.new_context(locale="en-US", viewport={"width": 390, "height": 800})
    page = context.new_page()
    problems = watch(page, url)
    page.goto(link)
    page.get_by_text(say("rater.better", "en", letter="A"), exact=True).first.click()
    page.get_by_role("button", name=say("rater.submit", "en")).click()
    expect(page.locator("#progress")).to_contain_text("1")
    expect(page.get_by_text(say("rater.done", "en"))).to_be_visible()
    assert "Tiny random" not in page.content()
    context.close()
    assert problems == []


def test_flagged_answers_are_left_out_and_raters_get_new_links(
    page: Page, dashboard, workspace: Workspace
) -> None:
    study = make_study(
        workspace,
        said=lambda n, side: (
            f"I am the {HOSTILE} of {'Tiny random model' if n < 2 else n}, says {side.partition(':')[0]}."
        ),
        sides=SIDES,
    )
    page.goto(f"{dashboard.url}/ratings?study={study}")
    ticked = page.locator("#study-named-items input")
    chosen = page.locator("#study-named-items input:checked")
    expect(ticked).to_have_count(3)
    expect(chosen).to_have_count(2)
    expect(page.locator("#study-named-items")).to_contain_text("1 · Prompt 0")
    ticked.nth(1).uncheck()
    page.click("#study-drop")
    expect(ticked).to_have_count(2)
    expect(page.locator("#study-items details")).to_have_count(2)
    ticked.nth(0).uncheck()
    ticked.nth(1).check()  # names no model, and is left out all the same
    page.click("#study-drop")
    expect(ticked).to_have_count(1)
    expect(page.locator("#study-items details")).to_have_count(1)
    expect(page.locator("#study img")).to_have_count(0)
    text(page, "invite-names", "Ayşe")
    page.click("#invite")
    first = page.locator("#invite-links code").inner_text()
    expect(page.locator("#invite-links")).to_contain_text(say("ratings.invite.while_open", "en"))
    page.get_by_role("button", name=say("ratings.rater.manage", "en")).click()
    page.click("#rater-renew")
    expect(page.get_by_test_id("toast-body").filter(has_text="Choose one from the list")).to_be_visible()
    for close in page.get_by_test_id("toast-close").all():
        close.click()
    page.click("#rater input")
    page.get_by_role("option", name="Ayşe").click()
    page.click("#rater-renew")
    expect(page.locator("#invite-links code")).not_to_have_text(first)
    page.click("#rater-revoke")
    page.click("#rater-revoke-yes")
    expect(page.locator("#study-raters")).to_contain_text(say("ratings.people.revoked", "en"))
    page.click("#study-delete")
    page.click("#study-delete-yes")
    page.wait_for_url(re.compile(r"/ratings$"))
    assert study not in {one.study.id for one in workspace.studies.all()}


def test_from_a_finished_study_to_a_better_model_in_three_clicks(
    page: Page, dashboard, workspace: Workspace
) -> None:
    study = make_study(workspace, prompts=24, said=answered, sides=SIDES, overlap=2)
    workspace.studies.open(study)
    assert rate_all(workspace, study, workspace.studies.invite(study, ["Ayşe", "John"])) == 48
    workspace.studies.close(study)

    page.goto(f"{dashboard.url}/ratings?study={study}")
    page.click("#study-make")  # the first click
    page.wait_for_url(re.compile(r"/train\?"))
    expect(page.locator("#train-card .ft-facts").first).to_be_visible(timeout=SLOW)
    page.click("#train-start")  # the second
    page.wait_for_url(re.compile(r"/runs\?run=\w+$"), timeout=SLOW)
    done = page.locator("#run-head .ft-pill", has_text=say("views.state.done", "en"))
    expect(done).to_be_visible(timeout=SLOW)
    run = workspace.training.get(page.url.rpartition("=")[2])
    assert run.run.spec["method"] == "dpo"
    assert run.run.spec["start_from_run"] == RUN
    assert run.metrics["eval_reward_margin"] > 0  # on pairs that it never saw
    page.get_by_role("link", name=say("ratings.next.compare", "en")).click()  # the third
    page.wait_for_url(re.compile(r"/ratings\?sides="))
    sides = page.locator("#study-sides")
    expect(sides.locator(".token")).to_have_count(3)

    page.goto(f"{dashboard.url}/ratings?study={study}")
    made = page.locator("#study-made")
    for kind in ("dataset", "split", "run"):
        expect(made).to_contain_text(say(f"ratings.lineage.kind.{kind}", "en"))
    expect(made.get_by_role("link", name=run.run.name)).to_have_attribute("href", f"/runs?run={run.run.id}")
