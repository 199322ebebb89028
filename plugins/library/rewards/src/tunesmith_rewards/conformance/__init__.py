"""Checks of the kinds that this plugin brings."""
