"""Requests of the gateway, and what its users say of the answers."""
