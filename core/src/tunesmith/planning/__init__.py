"""From a pipeline file to a plan: what will run where, in which order, and why (law L4)."""
