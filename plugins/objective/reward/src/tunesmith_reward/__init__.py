"""Reward models: a score for each answer, learnt from pairs of which one was preferred."""
