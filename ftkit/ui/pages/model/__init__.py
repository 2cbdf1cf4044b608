"""The model page and its parts."""
