"""Perplexity of a model on the answers of a dataset. Torch is imported when a model is evaluated, not before."""
