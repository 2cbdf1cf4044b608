"""The options of a run by subject; ``training/spec.py`` puts them together."""
