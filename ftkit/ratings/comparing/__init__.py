"""Models that answer the same prompt side by side."""
