"""The ratings room: comparison side by side."""
