"""Odds ratio preference optimisation: tune on the chosen answers and prefer them, without a reference."""
