"""GGUF models as ordinary safetensors checkpoints."""
