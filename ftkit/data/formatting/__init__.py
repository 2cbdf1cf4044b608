"""Rows in the shape that a model is trained on, and what the model sees of them."""
