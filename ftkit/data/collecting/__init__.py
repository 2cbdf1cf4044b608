"""Rows of a split that are gathered into a new dataset, such as those that a model got wrong."""
