"""Alpaca's instruction rows as a dataset. Standard library only."""
