"""A run while it goes on and beside others: warnings read off its curves, its sample answers, and comparing runs."""
