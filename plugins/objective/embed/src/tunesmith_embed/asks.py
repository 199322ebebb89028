"""What `embed` asks of the model."""

from __future__ import annotations

from tunesmith_embed.settings import EmbedSettings
from tunesmith_torch.api import Asks, estimator


def asks(settings: EmbedSettings) -> Asks:
    """The hidden states; of each row how many texts it compares, and the embeddings of all of them."""
    texts = 2 + settings.hard_negatives
    usage = {name: getattr(settings, name) for name in ("pooling", "matryoshka_dims", "query_prompt", "document_prompt")}
    return Asks(sequences=texts, log_probs=False, hidden=True, statistics=1, statistic_states=texts, role="embed", usage=usage)


parts = estimator(asks, EmbedSettings)
