"""Distributions of a few bytes: as wheels, and as an installer leaves them."""
