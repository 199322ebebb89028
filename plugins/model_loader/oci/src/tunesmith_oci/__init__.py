"""Models from OCI registries."""
