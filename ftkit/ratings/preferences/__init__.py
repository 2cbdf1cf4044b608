"""What is learnt from ratings: better and worse answers."""
