"""Sweeps: many runs of one recipe, to find the options that suit a split."""
