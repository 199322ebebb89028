"""Rows for evaluation that are among the rows that are trained on: the same, nearly the same, or mostly in them."""
