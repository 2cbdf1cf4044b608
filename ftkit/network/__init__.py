"""Where the addresses that people and programs give lead."""
