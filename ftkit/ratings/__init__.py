"""The ratings room: models side by side, what people think of their answers, and what is learnt from it."""
