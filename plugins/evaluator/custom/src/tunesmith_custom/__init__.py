"""Answers of a served model, scored by a Python function of the user's."""
