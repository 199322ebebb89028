"""Orthogonal fine-tuning, by PEFT."""
