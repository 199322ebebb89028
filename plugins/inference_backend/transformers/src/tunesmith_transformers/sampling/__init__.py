"""From logits to tokens: what a request asks for, the sampler, log-probabilities."""
