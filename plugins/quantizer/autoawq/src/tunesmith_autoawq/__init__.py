"""Checkpoints of AutoAWQ, which nobody maintains any more: to write and to read them. It is imported when that is done, not before."""
