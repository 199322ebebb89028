"""A model held against the one that it was made from (law L9): its tensors, config and tokenizer, and what it computes.

The check `audit` is called with what every step makes of a model or an adapter: `tunesmith_audit.files` reads the files alone, with numpy,
and `tunesmith_audit.outputs` runs both models, by transformers. Neither library is imported before it is needed.
"""

from tunesmith_audit.estimate import comparison_memory
from tunesmith_audit.outputs.comparison import remember
from tunesmith_audit.verdict import Finding, Verdict

__all__ = ["Finding", "Verdict", "comparison_memory", "remember"]
