"""Checkpoints of a run: written as a whole or not at all, checked to the last byte before one is loaded."""
