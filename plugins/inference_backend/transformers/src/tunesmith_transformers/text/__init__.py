"""Between tokens and text: the vocabulary, text that grows token by token, stop strings."""
