"""Cutting a dataset into training, validation and test."""
