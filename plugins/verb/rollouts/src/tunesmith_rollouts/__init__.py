"""What a model wrote while it learned from its own completions."""

SUMMARY = "what the model wrote while it trained, with its rewards"
