"""Solutions step by step, each step right or wrong, as a dataset. Standard library only."""
