"""Acme's model card."""
