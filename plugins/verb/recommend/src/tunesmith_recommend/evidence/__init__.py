"""Advice keeps score: what was predicted of runs, what came of it, and what follows for the next recommendation."""
