"""The check worker: a dataset's health report, for one model and length."""
