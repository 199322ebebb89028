"""Writes a model card: what a model is, its sizes, and the settings that made it."""
