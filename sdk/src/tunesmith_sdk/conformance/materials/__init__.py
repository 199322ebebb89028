"""Tiny real things that providers are tried on."""
