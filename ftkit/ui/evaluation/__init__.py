"""What was measured, as HTML."""
