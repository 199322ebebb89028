"""Checkpoints of compressed-tensors by LLM Compressor. That and torch are imported when a model is quantized, not before."""
