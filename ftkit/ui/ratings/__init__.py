"""Pages and views of rating studies."""
