"""What the owner has to know, on the page and by webhook."""
