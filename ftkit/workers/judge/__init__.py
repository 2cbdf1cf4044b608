"""The judge worker: asks an endpoint or a model of this machine for verdicts."""
