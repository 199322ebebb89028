"""What a step learns from, where the model writes it itself: sampling, scoring, the rollouts of a collection and their ledger."""
