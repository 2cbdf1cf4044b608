"""Commands that ship a model: export."""
