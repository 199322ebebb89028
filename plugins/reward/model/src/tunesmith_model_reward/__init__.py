"""The reward `model`: what a reward model says of a completion."""
