"""`tunesmith estimate`: what a step would need, from a model's configuration alone."""
