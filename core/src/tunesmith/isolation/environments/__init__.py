"""Environments of their own for plugins that can't share the host's: described, locked, built, checked, collected."""
