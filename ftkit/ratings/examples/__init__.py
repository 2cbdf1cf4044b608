"""Answers that a person kept as examples."""
