"""Rating studies as HTML."""
