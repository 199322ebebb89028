"""Models from the Hugging Face hub, or from a server that speaks its API."""
