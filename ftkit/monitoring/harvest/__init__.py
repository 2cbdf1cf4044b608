"""Requests that become rows of the next dataset."""
