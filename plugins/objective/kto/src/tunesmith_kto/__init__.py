"""Kahneman-Tversky optimisation: learn from answers that are good or bad, without pairs."""
