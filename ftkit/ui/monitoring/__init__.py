"""What the monitor page shows, as escaped HTML."""
