"""What comes over the network: where the addresses that people give lead, and the tokens that callers bring."""
