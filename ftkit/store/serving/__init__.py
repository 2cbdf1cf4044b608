"""Queries for the gateway: its keys, and the versions that it answers with."""
