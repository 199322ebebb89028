"""One step of a run: from the cache or by an attempt, with its environment, its files, its service and its gates."""
