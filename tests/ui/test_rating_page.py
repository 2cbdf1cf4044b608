"""The raters' page in Chromium, on a real server: nothing is lost, all of it goes by keyboard, nothing that is shown runs."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Page, expect

from ftkit.ui.i18n import say
from tests.studied import make_study
from tests.ui.conftest import Dashboard
from tests.ui.rating import (
    asked,
    at,
    bodies_to,
    choose_all,
    let_leases_end,
    make,
    opened,
    rated,
    state,
    stored_texts,
    tab_to,
    visits,
)
from tests.ui.test_hostile_rows import MARK, PAYLOADS, Visit, listener

pytestmark = pytest.mark.browser
__all__ = ["listener", "visits"]  # fixtures
PROTOCOLS = ("pairs", "scales", "ranking", "pass_fail")
COMMENT = "typed without a network"


def say_en(key: str, **values: object) -> str:
    return say(f"rater.{key}", "en", **values)


def comment(page: Page, text: str) -> None:
    if not page.locator("#comment").is_visible():
        page.locator(".comment summary").click()
    page.locator("#comment").fill(text)


def offline(page: Page) -> None:
    page.context.set_offline(True)
    # Chromium forgets that it is offline for what a page asks for while it is left.
    page.evaluate("() => { window.fetch = async () => { throw new TypeError('Failed to fetch') } }")


def reload_offline(page: Page) -> None:
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    page.wait_for_timeout(300)
    page.goto("about:blank")  # Chromium would load its error page again by itself


def come_back(page: Page, dashboard: Dashboard) -> None:
    page.context.set_offline(False)
    page.goto(f"{dashboard.url}/rate")


def test_f16_what_is_entered_offline_outlives_reloads(visits, dashboard) -> None:
    study, [token] = make(dashboard.home)
    page = visits.open(token)
    visits.at_fault = True
    at(page, 1)
    asked = page.locator(".prompt .said").inner_text()
    page.keyboard.press("b")
    expect(page.locator("#saved")).to_have_text(say_en("saved"))
    assert stored_texts(page) == []
    page.reload()
    expect(page.get_by_label(say_en("better", letter="B"))).to_be_checked()

    offline(page)
    comment(page, COMMENT)
    expect(page.locator("#offline")).to_be_visible()
    reload_offline(page)
    come_back(page, dashboard)
    expect(page.locator("#comment")).to_have_value(COMMENT)
    expect(page.locator(".prompt .said")).to_have_text(asked)
    expect(page.locator("#saved")).to_have_text(say_en("saved"))

    offline(page)
    comment(page, f"{COMMENT}, twice")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#submit")).to_be_disabled()
    expect(page.locator("#offline")).to_be_visible()
    page.wait_for_timeout(5000)
    reload_offline(page)
    assert rated(dashboard.home, study) == []
    come_back(page, dashboard)
    at(page, 2)
    expect(page.locator("#status")).to_have_text(say_en("delivered"))
    [rating] = rated(dashboard.home, study)
    assert rating.values["comment"] == f"{COMMENT}, twice"

    page.keyboard.press("=")
    page.keyboard.press("Enter")
    state(page, "finished")
    assert len(rated(dashboard.home, study)) == 2
    assert stored_texts(page) == []


def test_a_lost_reply_is_asked_for_again_with_the_same_submission(visits, dashboard) -> None:
    study, [token] = make(dashboard.home)
    page = visits.open(token)
    visits.at_fault = True
    at(page, 1)
    lost = []

    def lose(route) -> None:
        if len(lost) < 2:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/rating", lose)
    sent = bodies_to(page, "/rating")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#offline")).to_be_visible()
    at(page, 2)
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.locator(".problem")).to_be_hidden()
    assert lost == [200, 200]
    assert len({body["submission"] for body in sent}) == 1
    assert len(sent) == 3
    assert len(rated(dashboard.home, study)) == 1
    with opened(dashboard.home) as workspace:
        assert [change["revision"] for change in workspace.studies.history(study)] == [1]
    assert stored_texts(page) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_by_keyboard_alone_from_the_invitation_to_the_end(visits, dashboard, protocol) -> None:
    study, [token] = make(dashboard.home, protocol)
    page = visits.open(token, width=390)
    page.mouse.click = None
    at(page, 1)
    choose_all(page, protocol)
    page.keyboard.press("Enter")
    at(page, 2)
    expect(page.locator("#heading")).to_be_focused()
    # Without single keys: tab stops and arrows alone.
    for row in range(page.locator(".row").count()):
        tab_to(page, f"input[name=row-{row}]")
        page.keyboard.press("Space")
        if row:
            page.keyboard.press("ArrowDown")
    tab_to(page, "#flag")
    page.keyboard.press("Space")
    tab_to(page, "#submit")
    page.keyboard.press("Enter")
    state(page, "finished")
    expect(page.locator("#heading")).to_be_focused()
    first, second = rated(dashboard.home, study)
    assert first.values.keys() == second.values.keys() - {"flag"}
    assert first.values != {}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_keys_do_nothing_while_somebody_types_or_has_turned_them_off(visits, dashboard) -> None:
    study, [token] = make(dashboard.home)
    page = visits.open(token)
    at(page, 1)
    comment(page, "")
    page.keyboard.type("as b = x? 1")
    expect(page.locator("#comment")).to_have_value("as b = x? 1")
    expect(page.locator(".row input:checked")).to_have_count(0)
    expect(page.locator("#keys")).to_be_hidden()
    page.locator("#heading").focus()
    page.keyboard.press("s")  # something was entered: it is not dropped at once
    expect(page.locator(".problem")).to_have_text(say_en("skip.sure"))
    page.locator("#heading").focus()
    page.keyboard.press("?")
    page.get_by_label(say_en("keys.on")).uncheck()
    page.keyboard.press("Escape")
    page.reload()
    at(page, 1)
    page.locator("#heading").focus()
    page.keyboard.press("a")
    expect(page.locator(".row input:checked")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_have_text(say_en("missing", rows=say_en("question.pairs")))
    assert rated(dashboard.home, study) == []


def test_two_windows_of_one_rater_make_one_rating(visits, dashboard) -> None:
    study, [token] = make(dashboard.home)
    first = visits.open(token)
    at(first, 1)
    second = visits.window(first.context.new_page())
    second.goto(f"{dashboard.url}/rate")
    at(second, 1)
    for page, text in ((first, "the first"), (second, "the second")):
        with page.expect_response(re.compile("/draft$")):
            comment(page, text)
    second.reload()  # what was written last counts
    expect(second.locator("#comment")).to_have_value("the second")
    first.keyboard.press("Control+Enter")
    expect(first.locator(".problem")).to_be_visible()
    first.locator("#heading").focus()
    first.keyboard.press("a")
    first.keyboard.press("Enter")
    at(first, 2)
    at(second, 2)
    expect(second.locator("#status")).to_have_text(say_en("elsewhere"))
    assert len(rated(dashboard.home, study)) == 1


def test_an_earlier_rating_can_be_changed_and_an_answer_be_bettered(visits, dashboard) -> None:
    study, [token] = make(dashboard.home)
    page = visits.open(token)
    at(page, 1)
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    at(page, 2)
    page.get_by_role("button", name=say_en("mine")).click()
    page.locator("#mine-list button").click()
    at(page, 1)
    expect(page.get_by_label(say_en("better", letter="A"))).to_be_checked()
    page.keyboard.press("b")
    shown = page.locator("#answer-1 + .said").inner_text()
    page.locator(".better summary").nth(1).click()
    expect(page.locator("#edit-1")).to_have_value(shown)
    page.locator("#edit-1").fill(f"{shown} Sorry again.")
    page.get_by_role("button", name=say_en("change")).click()
    at(page, 2)
    [rating] = rated(dashboard.home, study)
    assert rating.values["edits"] == {str(rating.values["choice"]): f"{shown} Sorry again."}
    assert stored_texts(page) == []


def test_a_task_that_others_took_over_is_told_in_words(visits, dashboard) -> None:
    study, [slow, quick] = make(dashboard.home, raters=2)
    page = visits.open(slow)
    visits.at_fault = True
    at(page, 1)
    page.keyboard.press("a")
    expect(page.locator("#saved")).to_have_text(say_en("saved"))
    let_leases_end(dashboard.home, study)
    other = visits.open(quick)
    at(other, 1)
    expect(other.locator(".prompt .said")).to_have_text(page.locator(".prompt .said").inner_text())
    other.keyboard.press("b")
    other.keyboard.press("Enter")
    at(other, 2)
    let_leases_end(dashboard.home, study)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("Others have this one meanwhile")
    at(page, 1)
    assert len(rated(dashboard.home, study)) == 1
    assert stored_texts(page) == []


def test_each_state_says_what_to_do(visits, dashboard) -> None:
    visits.at_fault = True
    study, [one, two] = make(dashboard.home, prompts=1, raters=2)
    holder, waiter = visits.open(one), visits.open(two)
    at(holder, 1)
    state(waiter, "waiting")
    holder.keyboard.press("=")
    holder.keyboard.press("Enter")
    state(holder, "finished")
    waiter.get_by_role("button", name=say_en("look")).click()
    state(waiter, "finished")
    with opened(dashboard.home) as workspace:
        workspace.studies.close(study)
        waiter.reload()
        state(waiter, "closed")
        workspace.studies.open(study)
        unopened = make_study(workspace, prompts=1)
        [invite] = workspace.studies.invite(unopened, ["Early"])
    early = visits.open(invite.token)
    state(early, "not_open")
    early.reload()
    with opened(dashboard.home) as workspace:
        [rater] = [one.rater for one in workspace.studies.raters(study) if one.rated]
        workspace.studies.revoke(study, rater)
    holder.get_by_role("button", name=say_en("mine")).click()
    state(holder, "revoked")
    for address, message in (("/rate", "revoked"), ("/invite/nobody-has-this", "wrong_link")):
        holder.goto(dashboard.url + address)
        state(holder, message)
    holder.context.clear_cookies()
    holder.goto(f"{dashboard.url}/rate")
    state(holder, "no_link")
    assert stored_texts(holder) == []


def test_the_language_can_be_chosen_and_what_was_entered_stays(visits, dashboard) -> None:
    _, [token] = make(dashboard.home)
    page = visits.open(token)
    at(page, 1)
    page.keyboard.press("b")
    page.get_by_role("button", name="Türkçe").click()
    expect(page.get_by_label(say("rater.better", "tr", letter="B"))).to_be_checked()
    expect(page.locator("html")).to_have_attribute("lang", "tr")


def test_t35_t36_nothing_that_is_shown_runs_or_calls_out(visits, dashboard, listener) -> None:
    call, hits = listener
    hostile = [payload.format(mark=MARK, call=call) for payload in PAYLOADS]
    every = "\n".join(hostile)
    _, [token] = make(
        dashboard.home,
        "scales",
        prompts=1,
        name=hostile[2],
        guidelines=every,
        criteria=tuple(one[:60] for one in hostile[2:5]),
        told=[asked(every, every)],
        said=lambda _, side: f"{every}{side}",
    )
    page = visits.open(token)
    at(page, 1)
    seen = Visit(page, dashboard.url, call)
    for place in (
        ".prompt .said",
        "#answer-0 + .said",
        "#answer-1 + .said",
        ".reference .said",
        "#guidelines-text",
    ):
        assert page.locator(place).evaluate("node => node.textContent").startswith(every)
    expect(page.locator("#title")).to_have_text(hostile[2])
    page.locator(".better summary").first.click()
    comment(page, every)
    with page.expect_response(re.compile("/draft$")):
        page.locator("#edit-0").fill(f"{every} and more")
    seen.is_harmless()
    page.reload()
    expect(page.locator("#edit-0")).to_have_value(f"{every} and more")
    choose_all(page, "scales", rows=6)
    page.keyboard.press("Enter")
    state(page, "finished")
    page.get_by_role("button", name=say_en("mine")).click()
    expect(page.locator("#mine-list")).to_contain_text("<script>")
    seen.is_harmless()
    assert hits == []


def breaks(page: Page, width: int, scheme: str) -> list[str]:
    """What axe finds serious, and what goes out sideways."""
    page.set_viewport_size({"width": width, "height": 850})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [
        f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in {"serious", "critical"}
    ] + ([f"{wide} px wide"] if wide > width else [])


LOOKS = {"en": ((1280, "light"), (390, "dark")), "tr": ((1280, "dark"), (390, "light"))}


@pytest.mark.parametrize(
    ("protocol", "lang"), [*((protocol, "en") for protocol in PROTOCOLS), ("scales", "tr")]
)
def test_axe_finds_nothing_serious_in_a_task(visits, dashboard, protocol, lang) -> None:
    _, [token] = make(dashboard.home, protocol, prompts=1)
    page = visits.open(token, lang=lang)
    at(page, 1)
    while page.locator("details:not([open]) > summary").count():
        page.locator("details:not([open]) > summary").first.click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".problem")).to_be_visible()
    assert [one for look in LOOKS[lang] for one in breaks(page, *look)] == []
    page.set_viewport_size({"width": 640, "height": 425})  # 1280 px at 200 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


@pytest.mark.parametrize("lang", ["en", "tr"])
def test_axe_finds_nothing_serious_in_any_state(visits, dashboard, lang) -> None:
    visits.at_fault = True
    study, [token, other] = make(dashboard.home, prompts=1, raters=2)
    page, waiter = visits.open(token, lang=lang), visits.open(other, lang=lang)
    at(page, 1)
    state(waiter, "waiting")
    assert [one for look in LOOKS[lang] for one in breaks(waiter, *look)] == []
    page.locator("#heading").focus()
    page.keyboard.press("?")
    assert [one for look in LOOKS[lang] for one in breaks(page, *look)] == []
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    state(page, "finished")
    page.locator("#mine").click()
    assert [one for look in LOOKS[lang] for one in breaks(page, *look)] == []
    with opened(dashboard.home) as workspace:
        workspace.studies.close(study)
    page.reload()
    state(page, "closed")
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("#offline")).to_be_visible()
    assert [one for look in LOOKS[lang] for one in breaks(page, *look)] == []
    page.goto(f"{dashboard.url}/invite/nobody-has-this")
    state(page, "wrong_link")
    assert [one for look in LOOKS[lang] for one in breaks(page, *look)] == []
