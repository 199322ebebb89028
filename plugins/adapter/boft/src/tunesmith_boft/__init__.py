"""Orthogonal fine-tuning with butterfly factors, by PEFT."""
