"""Commands about what an evaluation found."""
