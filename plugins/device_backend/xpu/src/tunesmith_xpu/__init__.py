"""Intel GPUs as devices, asked through xpu-smi. Standard library only."""
