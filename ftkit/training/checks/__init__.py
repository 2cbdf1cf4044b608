"""What people give to a run from outside, checked before anything starts."""
