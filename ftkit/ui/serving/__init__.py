"""What the serve page shows: records of serving into escaped HTML."""
