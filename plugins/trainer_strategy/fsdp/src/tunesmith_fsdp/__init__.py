"""Fully sharded training: parameters, gradients and the optimizer's state are divided among the processes."""
