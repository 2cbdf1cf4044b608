"""Where models come from: the Hub, a Python package, a folder; and what makes a folder a model."""
