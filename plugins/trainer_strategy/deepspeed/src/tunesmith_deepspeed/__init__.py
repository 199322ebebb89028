"""ZeRO by DeepSpeed: the optimizer's state, gradients and parameters are divided among the processes, or kept outside the device."""
