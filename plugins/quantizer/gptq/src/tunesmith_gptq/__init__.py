"""GPTQ quantization by GPTQModel. That and torch are imported when a model is quantized, not before."""
