"""Prompt tuning (Lester et al., arXiv:2104.08691): a few embeddings before every sequence train, the model stays."""
