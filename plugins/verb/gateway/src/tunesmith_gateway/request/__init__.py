"""A request on its way: its body within bounds, and what becomes of it."""
