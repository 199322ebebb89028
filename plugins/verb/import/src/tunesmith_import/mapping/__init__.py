"""Keys of another tool -> a pipeline, with an account of each key."""
