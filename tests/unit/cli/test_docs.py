"""docs/cli.md is made from the commands themselves, and what it says of their JSON holds."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"
MAKE = ["-m", "typer", "ftkit.cli.main", "utils", "docs", "--name", "ftkit", "--title", "Command line"]


def test_the_page_is_what_the_commands_say():
    made = subprocess.run([sys.executable, *MAKE], capture_output=True, text=True, check=True).stdout
    again = f"python {' '.join(MAKE[:-1])} '{MAKE[-1]}' --output docs/cli.md"
    assert DOCS.read_text(encoding="utf-8").strip() == made.strip(), f"make it again with: {again}"
