"""Correcting single rows by hand: a draft with its history beside a dataset, and a new dataset out of it."""
