"""The metrics as ``evaluate.Metric``, computed without the Hub."""
