"""A model behind an endpoint judges what other models answer: as the evaluator and the reward `judge`."""
