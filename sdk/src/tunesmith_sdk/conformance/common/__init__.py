"""Checks of every plugin, whatever its kind."""
