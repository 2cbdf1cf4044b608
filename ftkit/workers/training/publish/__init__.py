"""Uploading what a run left."""
