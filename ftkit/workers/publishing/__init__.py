"""Putting a folder on the Hugging Face Hub, with its cards."""
