"""How the dashboard is served: what it refuses to start with, and what it costs."""

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from ftkit.errors import Refused
from ftkit.server.app import serve, ticking
from ftkit.settings import Settings

ROOT = Path(__file__).parents[3]
FIRST_PAGE_SECONDS = 30.0  # 7 s on a machine that does nothing else
MEGABYTES = 330
HEAVY = (
    *("torch", "transformers", "datasets", "trl", "peft", "accelerate", "sklearn", "scipy", "plotly"),
    *("presidio_analyzer", "spacy", "thinc"),
)


def unheard(link: str) -> None:
    raise AssertionError(f"it served at {link}")


class Unserved:
    """A workspace that must not be touched."""

    def __init__(self, tmp_path, **environment: str) -> None:
        self.settings = Settings.from_environment({"FTKIT_HOME": str(tmp_path), **environment})


@pytest.mark.parametrize(
    "name", ["GRADIO_VIBE_MODE", "GRADIO_SHARE", "GRADIO_ALLOWED_PATHS", "GRADIO_MCP_SERVER"]
)
def test_it_does_not_start_with_a_switch_that_opens_it(tmp_path, name):
    with pytest.raises(Refused, match=name) as error:
        serve(Unserved(tmp_path, **{name: "1"}), unheard)
    assert error.value.key == "server.dangerous"


def test_a_taken_port_is_said_with_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(Refused, match=f"{port} is in use.*--port") as error:
            serve(Unserved(tmp_path, FTKIT_PORT=port), unheard)
    assert error.value.exit_code == 2


def test_the_switch_can_be_insisted_on(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        unserved = Unserved(tmp_path, GRADIO_SHARE="1", FTKIT_PORT=str(taken.getsockname()[1]))
        with pytest.raises(Refused, match="in use"):  # it came as far as the port
            serve(unserved, unheard, i_know=True)


def test_an_address_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Refused, match=r"192\.0\.2\.1"):
        serve(Unserved(tmp_path, FTKIT_HOST="192.0.2.1", FTKIT_PORT="0"), unheard)


@pytest.mark.parametrize("environment", [{"FTKIT_HOST": "0.0.0.0"}, {"SPACE_HOST": "me-ftkit.hf.space"}])
def test_a_short_token_is_refused_where_others_can_reach_it(tmp_path, environment):
    with pytest.raises(Refused, match="too short"):
        serve(Unserved(tmp_path, FTKIT_TOKEN="1234567", **environment), unheard)


def test_ticking_goes_on_after_an_error_and_says_it_once(caplog):
    ticks = threading.Semaphore(0)

    def tick():
        ticks.release()
        raise OSError("the disk is full")

    with caplog.at_level(logging.WARNING), ticking(tick, 0.01):
        assert all(ticks.acquire(timeout=5) for _ in range(5))
    assert caplog.text.count("Looking after the jobs failed") == 1
    before = threading.active_count()
    assert not any(thread.name == "supervision" for thread in threading.enumerate()), before


@contextmanager
def started(home: Path):
    """``python app.py`` as a person starts it; gives the process, its link, and when it was started."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GRADIO_", "FTKIT_", "HF_"))}
    environment |= {"FTKIT_HOME": str(home), "FTKIT_PORT": "0", "FTKIT_SAMPLES": "false"}
    begun = time.monotonic()
    command = [sys.executable, str(ROOT / "app.py")]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            link = next(
                (found[0] for line in process.stdout if (found := re.search(r"http://\S+", line))), None
            )
            assert link, "it ended without a link"
            yield process, link, begun
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def second_start(tmp_path_factory):
    """A start over a data folder that is there already, as far as its first page."""
    home = tmp_path_factory.mktemp("budget")
    subprocess.run(
        [sys.executable, "-c", "from ftkit.settings import Settings; from ftkit.workspace import Workspace;"
         " Workspace(Settings.from_environment()).close()"],
        env={**os.environ, "FTKIT_HOME": str(home)}, check=True, cwd=ROOT,
    )  # fmt: skip
    with started(home) as (process, link, begun):
        with httpx.Client(follow_redirects=True, timeout=30) as client:
            page = client.get(link, headers={"accept": "text/html"})
        yield process, page, time.monotonic() - begun, link, home


def test_the_first_page_comes_soon(second_start, record_property):
    process, page, seconds, *_ = second_start
    assert page.status_code == 200
    assert "<gradio-app" in page.text
    spent = sum(psutil.Process(process.pid).cpu_times()[:2])
    record_property("first_page_seconds", seconds)
    sys.stderr.write(f"\nfirst page after {seconds:.1f} s, {spent:.1f} s of processor time\n")
    assert seconds < FIRST_PAGE_SECONDS
    assert spent < 7, "processor time of the start, whatever else the machine does"


def test_the_web_process_stays_small(second_start):
    process, _, _, link, _ = second_start
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        client.get(link, headers={"accept": "text/html"})
        for page in ("data", "model", "train", "runs", "evaluate", "compare", "settings"):
            answer = client.get(link.partition("?")[0] + page, headers={"accept": "text/html"})
            assert answer.status_code == 200
    megabytes = psutil.Process(process.pid).memory_info().rss / 2**20
    sys.stderr.write(f"\nweb process: {megabytes:.0f} MB\n")
    assert megabytes < MEGABYTES


def test_each_start_has_its_own_token(second_start):
    *_, link, _ = second_start
    token = link.partition("?token=")[2]
    assert len(token) >= 32
    with httpx.Client() as client:
        assert (
            client.get(
                link.partition("?")[0], params={"token": token[:-1]}, headers={"accept": "text/html"}
            ).status_code
            == 401
        )


def test_it_works_in_an_empty_folder_of_its_own(second_start):
    process, *_, home = second_start
    folder = Path(psutil.Process(process.pid).cwd())
    assert folder == home.resolve() / "tmp" / "cwd"
    assert list(folder.iterdir()) == []


def test_nothing_is_written_beside_the_program(second_start):
    assert not (ROOT / ".gradio").exists()


def test_a_page_that_is_open_does_not_hold_up_the_end(tmp_path):
    with started(tmp_path) as (process, link, _), httpx.Client(timeout=20) as client:
        client.get(link, headers={"accept": "text/html"})
        with client.stream("GET", link.partition("?")[0] + "gradio_api/heartbeat/abc") as stream:
            assert stream.status_code == 200
            beats = stream.iter_raw()  # closing this iterator would close the connection
            next(beats)
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
    assert time.monotonic() - begun < 8


def test_the_application_is_built_without_heavy_libraries(tmp_path):
    script = """
import json, sys
from ftkit.server.app import create_app
from ftkit.settings import Settings
from ftkit.workspace import Workspace
settings = Settings.from_environment()
settings.prepare_web_process()
with Workspace(settings) as workspace:
    create_app(workspace, "token")
    print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""
    environment = {**os.environ, "FTKIT_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=ROOT, check=True
    )
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "gradio" in modules
    assert modules & set(HEAVY) == set()


def test_the_import_hack_leaves_nothing_behind():
    script = """
import inspect
before = inspect.getfile
from ftkit.server.quick_import import without_type_stubs
with without_type_stubs():
    import gradio
assert inspect.getfile is before
print(inspect.getfile(gradio.Textbox))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip().endswith("textbox.py")
