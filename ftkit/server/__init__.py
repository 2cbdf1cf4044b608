"""The FastAPI parent that guards the dashboard."""
