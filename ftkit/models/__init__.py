"""The models room: base models on this machine."""
