"""Rewards that need no library: comparing, patterns, form and length."""
