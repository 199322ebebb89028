"""Tells Acme's tracker of runs, steps and artifacts."""
