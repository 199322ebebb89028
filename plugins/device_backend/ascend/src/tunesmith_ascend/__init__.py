"""Ascend NPUs as devices, asked through npu-smi. Standard library only."""
