"""Models from ModelScope, for Tunesmith."""
