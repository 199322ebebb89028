"""Whether a model is better than another beyond chance, and has lost nothing: the verb `verdict`, and the evaluator `regression`."""
