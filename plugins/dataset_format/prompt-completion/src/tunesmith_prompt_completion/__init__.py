"""Prompts with their completions as a dataset. Standard library only."""
