"""What the pages show of rating studies."""
