"""What is served: versions, the switch between them, and the way back."""
