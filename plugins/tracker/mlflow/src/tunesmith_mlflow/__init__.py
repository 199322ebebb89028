"""Runs of MLflow for what steps measure."""
