"""Building, loading again and comparing what a run is exported as."""
