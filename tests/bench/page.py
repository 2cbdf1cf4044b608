"""A dashboard beside a bench: started on the same data folder, asked for pages again and again, timed.

Gives how long each page took. It looks at no page.
"""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
_PAUSE = 0.25  # seconds between two pages


@contextmanager
def dashboard(**environment: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client, str]]:
    """A started dashboard: its process, a client to ask it with, and the link that lets a person in."""
    variables = {**os.environ, "FTKIT_PORT": "0", "FTKIT_SAMPLES": "false", **environment}
    command = [sys.executable, str(ROOT / "app.py")]
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        link = next(found[0] for line in process.stdout if (found := re.search(r"http://\S+", line)))
        with httpx.Client(follow_redirects=True, timeout=60, headers={"accept": "text/html"}) as client:
            try:
                yield process, client, link
            finally:
                process.terminate()


@contextmanager
def pages_asked(path: str) -> Iterator[tuple[int, list[float]]]:
    """The dashboard's process, and the seconds that the page took each time it was asked for while the body ran."""
    seconds: list[float] = []
    ended = threading.Event()
    with dashboard() as (process, client, link):
        client.get(link)
        address = str(httpx.URL(link).join(path))

        def ask() -> None:
            while not ended.wait(_PAUSE):
                begun = time.monotonic()
                client.get(address).raise_for_status()
                seconds.append(time.monotonic() - begun)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield process.pid, seconds
        finally:
            ended.set()
            thread.join()
