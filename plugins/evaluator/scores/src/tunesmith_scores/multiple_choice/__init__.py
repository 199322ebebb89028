"""Questions with answers to choose from, by the log-probability of each answer."""
