"""The owner's page of rating studies."""
