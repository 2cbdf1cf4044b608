"""``ftkit monitor``."""
