"""The loop from data to ratings and from ratings to the next model."""
