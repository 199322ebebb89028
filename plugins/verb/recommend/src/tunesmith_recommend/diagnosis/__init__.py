"""What came of a run, as a colleague would say it: by rules that are data, each with its evidence and what to try next."""
