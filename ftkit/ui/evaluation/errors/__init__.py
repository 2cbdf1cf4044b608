"""The error analysis as HTML."""
