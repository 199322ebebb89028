"""What objectives that learn from rewards of completions share: settings of sampling, prompts of rows, scores, and bad signs in metrics.

For plugins that bring objectives; it brings no capability of its own. Importing it imports no torch, and no rewards.
"""

from tunesmith_completions.estimate import completion_estimator
from tunesmith_completions.objective import CompletionObjective
from tunesmith_completions.off_policy import OffPolicySettings, importance_weight, importance_weights, sampled_facts, weight_metrics
from tunesmith_completions.settings import METRICS, SamplingSettings
from tunesmith_completions.signs import signs

__all__ = [
    "METRICS", "CompletionObjective", "OffPolicySettings", "SamplingSettings", "completion_estimator", "importance_weight",
    "importance_weights", "sampled_facts", "signs", "weight_metrics",
]  # fmt: skip
