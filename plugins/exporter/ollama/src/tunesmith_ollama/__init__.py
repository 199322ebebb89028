"""A GGUF file and the Modelfile that tells Ollama how to talk to it."""
