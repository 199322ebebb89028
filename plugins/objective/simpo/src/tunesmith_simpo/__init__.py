"""Simple preference optimisation: prefer by the mean log-probability of a token, without a reference."""
