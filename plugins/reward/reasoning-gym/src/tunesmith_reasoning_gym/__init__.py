"""Tasks that reasoning-gym makes, and what their answers are worth."""
