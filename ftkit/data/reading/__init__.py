"""Readers: a file of any known kind in, rows out, and a report of what was skipped and changed."""
