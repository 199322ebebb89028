"""What `process-reward` asks of the model."""

from __future__ import annotations

from dataclasses import asdict

from tunesmith_process_reward.settings import ProcessRewardSettings
from tunesmith_torch.api import Asks, Head, estimator

SCORE = "score"  #: the head, as transformers names it
LABELS = ("wrong", "right")  #: the classes: the number of each is what a label is as one


def asks(settings: ProcessRewardSettings) -> Asks:
    head = Head(SCORE, len(LABELS), bias=True, task="ForTokenClassification", labels=LABELS)
    return Asks(log_probs=False, heads=(head,), role="process-reward", usage=asdict(settings))


parts = estimator(asks, ProcessRewardSettings)
