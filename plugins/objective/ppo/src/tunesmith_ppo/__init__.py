"""Proximal policy optimisation: learn from rewards of what the model itself writes, each token by what a value head expected."""
