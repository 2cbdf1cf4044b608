"""What pages say of the database."""
