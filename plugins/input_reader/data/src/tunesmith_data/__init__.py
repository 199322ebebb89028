"""Datasets for Tunesmith: files of rows are read, checked, prepared, mixed and looked into."""

KIND = "dataset_format"  #: who knows what rows mean
SOURCE = "dataset_source"  #: who brings rows onto this machine
SUMMARY = "look into a data file before training on it"
