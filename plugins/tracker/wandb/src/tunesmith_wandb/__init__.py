"""Runs of Weights & Biases for what steps measure."""
