"""What the ratings of a study say."""
