"""Commands around training that are more than one run."""
