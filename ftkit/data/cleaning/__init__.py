"""Cleaning: steps that keep, change or drop rows, and the service that runs them."""
