"""Data-parallel training: each process holds the whole model and learns from its share of every batch."""
