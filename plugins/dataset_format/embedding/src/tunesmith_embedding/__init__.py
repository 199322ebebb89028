"""Texts that belong together, and others that do not, as a dataset. Standard library only."""
