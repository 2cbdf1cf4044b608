"""Queries of traffic, alerts and of what the owner chose."""
