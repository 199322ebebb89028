"""Checkpoints: what they hold, when they are made, and the best one."""
