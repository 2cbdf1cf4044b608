"""The data pages: what is in a dataset, how healthy it is, and what can be done about it."""
