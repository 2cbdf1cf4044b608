"""Queries for rating studies; each works within a transaction of the caller's."""
