"""Pairs of a chosen and a rejected answer as a dataset. Standard library only."""
