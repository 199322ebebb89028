"""Models that give numbers in place of words: their requests' texts as tokens, and the thread that runs them in batches."""
