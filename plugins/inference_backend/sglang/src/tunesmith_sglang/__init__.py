"""Serves models by SGLang, which runs as a program of its own; nothing heavy is imported here."""
