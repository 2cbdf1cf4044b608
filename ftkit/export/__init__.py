"""Tuned models in the forms that other programs take."""
