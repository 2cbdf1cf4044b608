"""Public and own benchmarks through lm-evaluation-harness: what is asked, and what base and tuned model come to."""
