"""Process reward models: right or wrong for each step of a solution."""
