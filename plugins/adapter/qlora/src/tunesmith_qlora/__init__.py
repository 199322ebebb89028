"""LoRA on a base whose matrices are kept in 4 bits (Dettmers et al., arXiv:2305.14314)."""
