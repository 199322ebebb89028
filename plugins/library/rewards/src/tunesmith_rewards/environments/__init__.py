"""Environments that need no library."""
