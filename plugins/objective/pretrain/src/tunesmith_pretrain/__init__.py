"""Pre-training: every token of plain text, given those before it."""
