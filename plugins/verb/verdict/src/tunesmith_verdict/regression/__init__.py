"""A small set of questions about what tuning must not cost: instructions, refusals, arithmetic, language, repetition. Our own rows."""
