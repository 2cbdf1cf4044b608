"""Exports for people: where they stand, how they were verified, and how others use them."""
