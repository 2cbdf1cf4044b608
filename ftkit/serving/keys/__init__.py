"""Keys of the gateway and their limits."""
