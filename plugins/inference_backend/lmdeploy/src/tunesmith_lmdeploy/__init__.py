"""Serves models by LMDeploy, which runs as a program of its own; nothing heavy is imported here."""
