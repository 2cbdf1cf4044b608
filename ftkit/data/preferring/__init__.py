"""Preference data out of what people preferred."""
