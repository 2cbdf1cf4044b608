"""Recipes that people save."""
