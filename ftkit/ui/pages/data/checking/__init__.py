"""What the check page shows."""
