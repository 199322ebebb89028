"""Models that give numbers in place of words: their input as in training, their scores and embeddings."""
