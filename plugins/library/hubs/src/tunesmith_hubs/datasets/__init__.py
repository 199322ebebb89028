"""Datasets on hubs: which files of a repository are meant, and the source around a hub."""
