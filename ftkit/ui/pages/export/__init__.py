"""The export page and its parts."""
