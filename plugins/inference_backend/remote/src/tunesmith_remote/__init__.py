"""A model that runs elsewhere, behind any OpenAI-compatible URL, as an endpoint of a pipeline."""
