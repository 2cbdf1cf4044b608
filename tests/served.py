"""``python app.py`` in a process of its own, which can be killed and started again at the same port."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Served:
    """A dashboard over a data folder."""

    def __init__(self, home: Path, **environment: str) -> None:
        self._home = home
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it, at the former port if it had one, and wait for its link."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("GRADIO_", "FTKIT_", "HF_"))}
        own = {"FTKIT_HOME": str(self._home), "FTKIT_PORT": str(self.port), "FTKIT_SAMPLES": "false"}
        log = self._home / "dashboard.log"
        with log.open("a") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py")],
                env={**inherited, **own, **self._environment},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        found = (re.search(r"http://[^/\s]+:(\d+)/", line) for line in self._process.stdout)
        link = next(filter(None, found), None)
        assert link, log.read_text()
        self.port = int(link[1])

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it; ``SIGKILL`` to crash it."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=20)
            self._process.stdout.close()
            self._process = None
