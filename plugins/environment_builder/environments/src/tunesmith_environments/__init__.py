"""Environments of their own for plugins that can't share the host's: described, locked, built, checked, collected."""

NAME = "venv"  # of the environment builder
SUMMARY = "environments of plugins that can't share this one"  # of the command `env`
