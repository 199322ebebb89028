"""Perplexity of a model, or of one behind an endpoint, on the answers of a dataset. Torch is imported when one is evaluated, not before."""
