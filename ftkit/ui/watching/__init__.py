"""What a page shows of a run while it goes on and beside others, and whom it is answering."""
