"""Adaptive low-rank adaptation, by PEFT."""
