"""A real dashboard in a process of its own, and a real Chromium that visits it.

A visit fails at its end when the browser noted an error, or when a request left for another host.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.ending import end_workers

ROOT = Path(__file__).parents[2]
TOKEN = "the-token-of-the-browser-tests"
CHROMIUM = os.environ.get("FTKIT_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 30_000  # milliseconds; the machine may be busy
# What Gradio's client says when a page is left while one of its answers is on the way.
LEAVING = ("AbortError", "Connection errored out", "BodyStreamBuffer was aborted")


class Dashboard:
    """``python app.py`` over a data folder; it can be killed and started again at the same address."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        self.url = ""
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, at the former port if it had one, and wait for its link."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GRADIO_", "FTKIT_"))}
        environment = {
            **inherited,
            "FTKIT_HOME": str(self.home),
            "FTKIT_PORT": self.url.rpartition(":")[2] or "0",
            "FTKIT_TOKEN": TOKEN,
            "FTKIT_SAMPLES": "false",
            **self._environment,
        }
        log = (self.home / "dashboard.log").open("a")
        with log:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py")],
                env=environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        links = (re.search(r"(http://[^/\s]+)/\?token=", line) for line in self._process.stdout)
        found = next(filter(None, links), None)
        assert found, (self.home / "dashboard.log").read_text()
        self.url = found[1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the web process; ``SIGKILL`` to crash it. Workers are left alone."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=20)
            self._process.stdout.close()
            self._process = None

    def stop_workers(self) -> None:
        """End what outlives the web process on purpose, such as the resident generator."""
        with Workspace(Settings.from_environment({"FTKIT_HOME": str(self.home)})) as workspace:
            end_workers(workspace)

    def link(self, path: str = "/") -> str:
        """An address that signs in."""
        return f"{self.url}{path}{'&' if '?' in path else '?'}token={TOKEN}"

    def seed_model(self, folder: Path, name: str | None = None) -> None:
        """Put a model folder in place, as a download would have."""
        target = self.home / "models" / (name or folder.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            target.symlink_to(folder.resolve(), target_is_directory=True)


@pytest.fixture(scope="module")
def make_dashboard(tmp_path_factory) -> Iterator[Callable[..., Dashboard]]:
    """Start a dashboard with further environment variables; each is over a data folder of its own."""
    started: list[Dashboard] = []

    def make(**environment: str) -> Dashboard:
        dashboard = Dashboard(tmp_path_factory.mktemp("home").resolve(), **environment)
        started.append(dashboard)
        dashboard.start()
        return dashboard

    yield make
    for dashboard in started:
        dashboard.end()
        dashboard.stop_workers()


@pytest.fixture(scope="module")
def dashboard(make_dashboard) -> Dashboard:
    return make_dashboard()


# Playwright's event loop runs in this thread until it is stopped: it must not outlive the browser tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Chromium is not installed: apt-get install chromium"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, dashboard) -> Iterator[Callable[..., Page]]:
    """Open a signed-in window: ``open_page(locale="tr-TR", width=390, scheme="dark")``."""
    visits: list[tuple[Page, list[str]]] = []

    def open_(
        locale: str = "en-US", width: int = 1280, scheme: str = "light", at: Dashboard = dashboard
    ) -> Page:
        context = browser.new_context(
            locale=locale, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        visits.append((page, watch(page, at.url)))
        page.goto(at.link())
        return page

    yield open_
    for page, _ in visits:
        page.context.close()
    assert [problem for _, problems in visits for problem in problems] == []


@pytest.fixture
def page(request, open_page) -> Page:
    """A signed-in window; other options by indirect parameters: ``{"locale": "tr-TR"}``."""
    options: dict[str, Any] = getattr(request, "param", {})
    return open_page(**options)


def watch(page: Page, url: str) -> list[str]:
    """What goes wrong on a page from now on: errors of the console, exceptions, requests to other hosts."""
    problems: list[str] = []

    def note_request(request: Any) -> None:
        if not request.url.startswith((f"{url}/", "data:", "blob:")):
            problems.append(f"request to {request.url}")

    def note(text: str) -> None:
        if not any(phrase in text for phrase in LEAVING):
            problems.append(text)

    page.on("console", lambda message: note(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: note(str(error)))
    page.on("request", note_request)
    page.problems = problems
    return problems
