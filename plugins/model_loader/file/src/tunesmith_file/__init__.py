"""Models on disk: what lies in a directory, and how it gets into the store."""
