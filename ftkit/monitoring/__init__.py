"""What a served model is asked and how it does: traffic, drift, alerts, and what of it becomes training data."""
