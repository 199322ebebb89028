"""`tunesmith` in a terminal: questions about what is wanted, and the pipeline and the commands that do it. See docs/wizard.md."""

WIZARD = "questions that lead from what you have to a model that is tuned, smaller, compared or served"
