"""Benchmarks of ModelScope's EvalScope, over an endpoint and the step's own rows."""
