"""Copies of the SQLite database: made, checked, kept, restored."""
