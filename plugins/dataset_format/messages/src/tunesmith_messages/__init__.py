"""OpenAI chat messages as rows of a dataset."""
