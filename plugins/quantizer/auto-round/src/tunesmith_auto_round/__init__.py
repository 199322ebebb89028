"""Quantization with trained rounding (SignRound) by AutoRound. That and torch are imported when a model is quantized, not before."""
