"""What `reward` asks of the model."""

from __future__ import annotations

from tunesmith_reward.settings import RewardSettings
from tunesmith_torch.api import Asks, Head, estimator

SCORE = "score"  #: the head, as transformers names it


def asks(settings: RewardSettings) -> Asks:
    return Asks(sequences=2, log_probs=False, heads=(Head(SCORE, task="ForSequenceClassification"),), role="reward")


parts = estimator(asks, RewardSettings)
