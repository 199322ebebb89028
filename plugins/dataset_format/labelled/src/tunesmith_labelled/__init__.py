"""Texts, conversations or words with their classes, as a dataset. Standard library only."""
