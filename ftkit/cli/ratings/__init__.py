"""Commands of rating studies."""
