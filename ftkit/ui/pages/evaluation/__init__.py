"""The pages about what a model is worth."""
