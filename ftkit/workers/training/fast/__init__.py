"""The fast way of training on a CPU: attention row by row, rows without padding, loss at labelled places only."""
