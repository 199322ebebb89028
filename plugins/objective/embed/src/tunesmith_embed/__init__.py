"""Embedding models: texts that belong together come to lie together."""
