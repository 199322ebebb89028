"""Rewards: the kind `reward`, the runner that scores completions beside a training, and rewards that need no library."""

REWARDS = "rewards, tried on completions before anything is trained"
