"""Trials that are runs of a pipeline: what is planned, what is measured, what each row came to."""
