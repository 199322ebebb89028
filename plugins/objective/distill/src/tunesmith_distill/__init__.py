"""Distillation: learn to answer as a larger model would, from its probabilities instead of its words."""
