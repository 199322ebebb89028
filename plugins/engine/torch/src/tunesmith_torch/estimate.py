"""Memory and disk of `train` and `merge` from the model's sizes alone. Standard library and contracts only."""
