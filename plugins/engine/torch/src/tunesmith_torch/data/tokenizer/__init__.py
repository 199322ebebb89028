"""A model's tokenizer, and what turns a conversation into tokens with labels."""
