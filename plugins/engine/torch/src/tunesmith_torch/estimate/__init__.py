"""Memory and disk of a step before it runs, from a model's configuration. Standard library and contracts only."""
