"""What objectives that learn from rewards of completions share: settings of sampling, prompts of rows, scores, and bad signs in metrics.

For plugins that bring objectives; it brings no capability of its own. Importing it imports no torch, and no rewards.
"""

from tunesmith_completions.objective import CompletionObjective
from tunesmith_completions.settings import METRICS, SamplingSettings
from tunesmith_completions.signs import signs

__all__ = ["METRICS", "CompletionObjective", "SamplingSettings", "signs"]
