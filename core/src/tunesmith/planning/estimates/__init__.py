"""Memory and disk before anything runs, asked of plugins in a helper process."""
