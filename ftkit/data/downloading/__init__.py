"""The way out: rows as files for other programs."""
