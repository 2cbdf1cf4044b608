"""The compare page: up to four models answer the same, side by side."""
