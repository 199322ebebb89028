"""Whether a model refuses what it should refuse, and answers what it should answer, on prompts of the user's."""
