"""A single step as a command: its options come from the providers that its words choose."""
