"""Plugins as static data: manifests, discovery, the registry of providers, policy. Nothing here imports a plugin."""
