"""Hugging Face checkpoints as GGUF files, by llama.cpp's own converter. It runs as a process; nothing heavy is imported here."""
