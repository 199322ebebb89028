"""Direct preference optimisation: prefer the chosen answer to the rejected one, without a reward model."""
