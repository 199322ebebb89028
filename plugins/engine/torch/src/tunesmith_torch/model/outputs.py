"""What a forward pass gives: outputs at labels, and hidden states and heads at places, by name."""

from __future__ import annotations

from typing import Any

import torch

from tunesmith_torch.data.packing import Packed
from tunesmith_torch.model.architecture import architecture, states
from tunesmith_torch.model.encoder import classifier_scores, is_classifier
from tunesmith_torch.model.heads import Heads
from tunesmith_torch.model.log_probs import label_outputs

HIDDEN = "hidden"
_OF_HEAD = "heads/"


def outputs(model: Any, batch: Packed, heads: Heads) -> dict[str, torch.Tensor]:
    """Those that ``batch.wanted`` asks for: tensors of a row for each label or place. An encoder's head is in the model itself."""
    if is_classifier(model):
        (head,) = batch.wanted.heads
        return {of_head(head.name): classifier_scores(model, batch)}
    found, wanted, labels = architecture(model), batch.wanted, len(batch.predictors)
    hidden = states(model, batch, found)
    given = label_outputs(model, hidden[:labels], batch, found) if wanted.log_probs else {}
    if wanted.heads or wanted.hidden:
        at_places = hidden[labels:]
        given |= {_OF_HEAD + head.name: heads(head.name, at_places) for head in wanted.heads}
        if wanted.hidden:
            given[HIDDEN] = at_places.float()
    return given


def of_head(name: str) -> str:
    """The name of a head's output."""
    return _OF_HEAD + name
