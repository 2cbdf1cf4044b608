"""A language model compares the answers of base and tuned model, row by row, in both orders."""
