"""The sweeps page: what to vary, how far the search is, what it found."""
