"""What `embed` asks of the model."""

from __future__ import annotations

from tunesmith_embed.settings import EmbedSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: EmbedSettings) -> Asks:
    """The hidden states; of each row how many texts it compares, and the embeddings of all of them."""
    texts = 2 + settings.hard_negatives
    return Asks(sequences=texts, log_probs=False, hidden=True, statistics=1, statistic_states=texts)


parts = estimator(asks, EmbedSettings)
