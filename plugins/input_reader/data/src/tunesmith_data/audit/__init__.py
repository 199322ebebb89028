"""What speaks against training on a file's rows though each of them can be used: pairs, labels and prompts as a whole."""
