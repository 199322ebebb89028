"""Models that give numbers in place of words: reward models, classifiers, embedding models; their input is written as in training."""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports

if TYPE_CHECKING:
    from tunesmith_torch.scoring.model import ScoringModel, load_scoring_model
    from tunesmith_torch.scoring.sequences import (
        batches,
        conversation_sequence,
        embedded_places,
        embedded_sequence,
        steps_sequence,
        text_sequence,
        words_sequence,
    )

_SEQUENCES = (
    "batches", "conversation_sequence", "embedded_places", "embedded_sequence", "steps_sequence", "text_sequence", "words_sequence",
)  # fmt: skip

__all__ = [
    "ScoringModel",
    "batches",
    "conversation_sequence",
    "embedded_places",
    "embedded_sequence",
    "load_scoring_model",
    "steps_sequence",
    "text_sequence",
    "words_sequence",
]

__getattr__ = exports(
    __name__,
    {
        "ScoringModel": "tunesmith_torch.scoring.model",
        "load_scoring_model": "tunesmith_torch.scoring.model",
        **dict.fromkeys(_SEQUENCES, "tunesmith_torch.scoring.sequences"),
    },
)
