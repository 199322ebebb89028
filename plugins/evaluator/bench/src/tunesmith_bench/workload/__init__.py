"""What is asked: prompts, their lengths, and who counts tokens."""
