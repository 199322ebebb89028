"""Models shipped in Python distributions."""
