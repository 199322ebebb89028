"""NVIDIA GPUs as devices, asked through nvidia-smi. Standard library only."""
