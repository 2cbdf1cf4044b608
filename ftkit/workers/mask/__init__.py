"""The resident worker that takes personal data out of texts before they are kept."""
