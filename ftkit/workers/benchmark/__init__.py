"""The benchmark worker: lm-evaluation-harness around the loaded models of a run."""
