"""Starts the dashboard: ``python app.py [--host ADDRESS] [--port PORT]``; the same as ``ftkit app``."""

import sys

from ftkit.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["app", *sys.argv[1:]]))
