"""Asks a served model questions and scores what it answers."""
