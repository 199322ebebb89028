"""Artifacts on the disk, by the hash of what is in them."""
