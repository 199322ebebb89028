"""Serves a causal language model of the transformers library with continuous batching, behind the OpenAI API."""
