"""A model held against the one that it was made from (law L9): its tensors, config and tokenizer, and what it computes.

`check_artifact` is what a step's code calls before its artifact is published: `tunesmith_audit.audit.audit` on the files alone, with numpy,
and `tunesmith_audit.distance` on both models, by transformers. Neither library is imported before it is needed: estimators import this.
"""

from tunesmith_audit.step_check import check_artifact, comparison_memory, planned
from tunesmith_audit.verdict import Finding, Verdict

__all__ = ["Finding", "Verdict", "check_artifact", "comparison_memory", "planned"]
