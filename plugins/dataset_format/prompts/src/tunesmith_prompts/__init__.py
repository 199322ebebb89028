"""Prompts without answers as a dataset. Standard library only."""
