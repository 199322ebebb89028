"""Answers with the label of a good or a bad one, as a dataset. Standard library only."""
