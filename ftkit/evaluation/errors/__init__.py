"""Where the tuned model goes wrong: rows that changed, kinds of errors, slices, tags, and rows for the next dataset."""
