"""The model: loading it, and running many sequences through it in one forward pass."""
