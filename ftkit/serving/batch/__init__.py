"""Many prompts of a file, answered by an engine."""
