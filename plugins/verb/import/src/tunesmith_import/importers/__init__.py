"""Importers, one a tool, with the tools' keys as tables."""
