"""Evaluators of models that give numbers in place of words. Torch is imported when one is evaluated, not before."""
