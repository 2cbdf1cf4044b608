"""What is wrong with a dataset: duplicates, personal data, and everything else that spoils a fine-tune."""
