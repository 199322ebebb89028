"""Quantization by bitsandbytes, without calibration. Torch is imported when a model is quantized, not before."""
