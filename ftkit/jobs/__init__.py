"""Worker processes: queue, launch, state machine, watching, stopping."""
