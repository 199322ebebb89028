"""Metrics of answers: each says of an answer how right it is, and of all of them the figure with its interval."""
