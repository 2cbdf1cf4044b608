"""Worker processes, started as ``python -m ftkit.workers.<name> <folder>``; the only place for heavy libraries."""
