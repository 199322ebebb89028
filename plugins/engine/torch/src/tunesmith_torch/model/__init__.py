"""A model: loading it, which implementation computes it, its attention, and log-probabilities of labels."""
