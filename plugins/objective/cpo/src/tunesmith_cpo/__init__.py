"""Contrastive preference optimisation: prefer the chosen answer and stay likely to give it, without a reference."""
