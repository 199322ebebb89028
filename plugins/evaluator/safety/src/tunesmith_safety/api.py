"""For evaluators that have to tell refusals from answers, too: all of `tunesmith_safety` that they may import."""

from tunesmith_safety.refusal import RefusalPatterns

#: Of everything here: raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

__all__ = ["API", "RefusalPatterns"]
