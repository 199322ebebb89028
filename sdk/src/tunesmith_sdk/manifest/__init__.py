"""Manifests from code: a plugin's source folder, what its hooks return, and what can be said of it before it is installed."""
