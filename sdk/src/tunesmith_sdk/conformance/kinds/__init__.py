"""Checks of each kind: one module a kind."""
