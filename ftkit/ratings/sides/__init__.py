"""What can be asked: base models, runs and their checkpoints."""
