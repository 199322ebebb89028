"""The training engine in plain PyTorch: the verbs `train` and `merge`. What other plugins build on is `tunesmith_torch.api`."""
