"""Raw arguments of a run for TRL."""
