"""What this plugin brings: the objective `embed`."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_embed.asks import asks
from tunesmith_embed.settings import EmbedSettings

_JUDGED = {"better": "higher", "with": ["validation", "validation_split"]}
METRICS = {
    "validation_accuracy": {"summary": "share of the rows whose positive is the nearest text of the batch", **_JUDGED},
    "validation_similarity/positive": {"summary": "cosine similarity of anchor and positive", **_JUDGED},
}


@hookimpl
def objective() -> Provider:
    return Provider(
        name="embed",
        summary="embedding model: contrastive learning of texts that belong together, over the whole batch",
        target="tunesmith_embed.objective:Embedding",
        settings=EmbedSettings,
        accepts=("dataset/embedding",),
        needs=asks(EmbedSettings()).needs,
        facts={"metrics": METRICS, **asks(EmbedSettings()).facts},
        estimator="tunesmith_embed.asks:parts",
    )
