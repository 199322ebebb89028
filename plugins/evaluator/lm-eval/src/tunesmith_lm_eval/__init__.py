"""Tasks of EleutherAI's lm-evaluation-harness, over a model and the step's own rows."""
