"""The layer contracts hold, and each of them can fail."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.contract.source import PACKAGE, ROOT

# One offence per contract, in the order of .importlinter: file, line to add.
OFFENCES = {
    "each layer imports only the layers below it": ("data/chat.py", "import ftkit.models.catalogue"),
    "heavy libraries": ("workspace.py", "import torch"),
    "only the UI and the server know Gradio": ("jobs/states.py", "import gradio"),
    "only service.py touches the store": ("training/card.py", "import ftkit.store.files"),
    "nobody imports a worker": ("cli/output.py", "import ftkit.workers.harness"),
    "pages never import each other": ("ui/pages/home.py", "import ftkit.ui.pages.settings"),
}


def lint(folder: Path) -> str:
    command = [
        Path(sys.executable).with_name("lint-imports"),
        "--no-cache",
        "--config",
        ROOT / ".importlinter",
    ]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(folder)}
    )
    return done.stdout + done.stderr


def test_the_contracts_hold() -> None:
    report = lint(ROOT)
    assert f"{len(OFFENCES)} kept, 0 broken" in report, report


def test_each_contract_can_fail(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "ftkit", ignore=shutil.ignore_patterns("__pycache__", "samples"))
    for file, line in OFFENCES.values():
        path = tmp_path / "ftkit" / file
        path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    report = lint(tmp_path)
    for name in OFFENCES:
        assert re.search(rf"{re.escape(name)}.*BROKEN", report), f"{name}\n{report}"
