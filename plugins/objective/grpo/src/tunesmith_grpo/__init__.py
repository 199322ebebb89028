"""Group relative policy optimisation: learn from rewards of what the model itself writes."""
