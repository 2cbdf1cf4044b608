"""Whether an exported model says the same as the trained one."""
