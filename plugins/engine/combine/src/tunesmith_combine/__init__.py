"""Several fine-tuned models of one base as one: what each has learnt is added up, weighed, and freed of what contradicts."""
