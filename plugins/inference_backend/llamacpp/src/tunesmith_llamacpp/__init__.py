"""Serves GGUF models by llama.cpp. The library is imported by the server's process alone (`tunesmith_llamacpp.server`)."""
