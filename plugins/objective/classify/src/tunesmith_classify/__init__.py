"""Classifiers: of texts and conversations, and of the words of a text."""
