"""A build context for docker or podman: a GGUF model and what serves it."""
