"""AMD GPUs as devices, asked through rocm-smi. Standard library only."""
