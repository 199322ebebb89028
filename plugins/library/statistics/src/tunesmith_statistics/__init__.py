"""How sure a figure is that was measured on rows: intervals, tests of two models on the same rows, and what was not scored at all.

Standard library only. For evaluators, and for commands that compare what they measured.
"""

from tunesmith_statistics.counts import Counts, smallest_difference
from tunesmith_statistics.intervals import Interval, figure, mean, mean_difference, share, share_difference
from tunesmith_statistics.paired_tests import Disagreement, holm, mcnemar, sign_flips
from tunesmith_statistics.resolution import resolution

__all__ = [
    "Counts",
    "Disagreement",
    "Interval",
    "figure",
    "holm",
    "mcnemar",
    "mean",
    "mean_difference",
    "resolution",
    "share",
    "share_difference",
    "sign_flips",
    "smallest_difference",
]
