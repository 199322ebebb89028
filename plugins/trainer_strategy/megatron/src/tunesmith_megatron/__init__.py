"""Training by megatron-core: layers, and the sequence of layers, divided among processes."""
