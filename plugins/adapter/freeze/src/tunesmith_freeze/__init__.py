"""Fine-tuning of some of a model's own weights: its last layers, or parts by name."""
