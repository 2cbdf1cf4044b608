"""What the train worker is made of."""
