"""The evaluation room: base and tuned model on the same rows, and the report."""
