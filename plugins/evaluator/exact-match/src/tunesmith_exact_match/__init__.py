"""Asks a served model questions and counts the answers that are exactly right. Standard library only."""
