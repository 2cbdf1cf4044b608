"""Measuring models beside the evaluation of a run."""
