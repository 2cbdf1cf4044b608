"""Exports for programs that serve models: inference endpoints, containers, Triton."""
