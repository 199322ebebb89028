"""Datasets for Tunesmith: files of rows are read, checked, prepared, mixed and looked into."""

KIND = "dataset_format"  #: who knows what rows mean
SUMMARY = "look into a data file before training on it"
