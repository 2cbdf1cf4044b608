"""The export worker."""
