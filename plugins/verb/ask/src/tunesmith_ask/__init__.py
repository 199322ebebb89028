"""A sentence becomes a pipeline. See docs/ask.md."""

ASK = "a pipeline from a sentence, in English or Chinese; nothing runs before you say yes"
