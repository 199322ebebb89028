"""Manifests for a cluster that runs the image which the exporter docker describes."""
