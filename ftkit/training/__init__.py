"""The training room: recipes, run cards, runs."""
