"""What base and tuned model are asked beside the rows of the part."""
