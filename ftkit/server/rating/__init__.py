"""What raters reach: their page and its API."""
