"""The page that watches what is served."""
