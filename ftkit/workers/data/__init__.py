"""Workers that read, split, shape and show rows."""
