"""What objectives that compare answers share: how rows become sequences, sums over answers, what users look at, and what is a bad sign.

For plugins that bring objectives; it brings no capability of its own. Importing it imports no torch.
"""

from tunesmith_pairs.answers import Answers, counts, per_answer, tail_weights
from tunesmith_pairs.metrics import DISTANCE, ENTROPY, REWARDS, pair_metrics, token_metrics, told
from tunesmith_pairs.objective import PairObjective
from tunesmith_pairs.rows import encode_answer, encode_pair
from tunesmith_pairs.settings_in_use import refuse_unread
from tunesmith_pairs.signs import signs

__all__ = [
    "DISTANCE",
    "ENTROPY",
    "REWARDS",
    "Answers",
    "PairObjective",
    "counts",
    "encode_answer",
    "encode_pair",
    "pair_metrics",
    "per_answer",
    "refuse_unread",
    "signs",
    "tail_weights",
    "token_metrics",
    "told",
]
