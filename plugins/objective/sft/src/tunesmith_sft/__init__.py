"""Supervised fine-tuning: learn what the assistant says in example conversations."""
