"""How a loaded model answers a person."""
