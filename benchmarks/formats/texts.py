"""Texts after which an engine is asked for the next token: conversations in the model's template, and plain beginnings."""

from __future__ import annotations

QUESTIONS = (
    "What is the capital of France?", "Name a planet that has rings.", "How many days has a week?", "What do bees make?",
    "Write one sentence about the sea.", "Is ice colder than steam?", "What is 7 plus 5?", "Who wrote Hamlet?",
    "Translate `water` into Spanish.", "Give me a word that rhymes with cat.",
)  # fmt: skip
BEGINNINGS = (
    "The sun rises in the", "Once upon a time there was a", "def add(a, b):\n    return", "The chemical symbol of gold is",
    "In 1969 people walked on the", "A triangle has three", "Water boils at 100 degrees", "My favourite season is winter, because",
    "The quick brown fox jumps over the lazy", "To make tea you need hot",
)  # fmt: skip
TEXTS = tuple(f"<|im_start|>user\n{one}<|im_end|>\n<|im_start|>assistant\n" for one in QUESTIONS) + BEGINNINGS
