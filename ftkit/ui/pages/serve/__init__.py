"""The page that serves models to programs."""
