"""Commands that look into evaluations."""
