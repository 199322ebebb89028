"""Rows to batches: the chat template writes them, a tokenizer cuts them, and they are truncated, packed and dealt to ranks."""
