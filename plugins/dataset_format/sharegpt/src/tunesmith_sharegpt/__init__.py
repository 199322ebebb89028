"""ShareGPT's conversations as a dataset. Standard library only."""
