"""Prompts that models are asked, out of the rows of the data."""
