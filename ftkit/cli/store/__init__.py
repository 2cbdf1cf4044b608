"""Commands around the database."""
