"""The sweep worker: chooses trials, runs them through the queue, writes what they found."""
