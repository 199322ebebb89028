"""The command line: a lazy tree of commands whose options come from plugin schemas."""
