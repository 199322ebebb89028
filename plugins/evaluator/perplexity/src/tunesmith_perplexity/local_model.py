"""Losses of a model that is computed here."""

from __future__ import annotations

import json
from collections.abc import Sequence

import torch

from tunesmith.contracts import Artifact, Step
from tunesmith_models import compute_type, stored_type
from tunesmith_perplexity.sequences import Scored, batches
from tunesmith_perplexity.settings import PerplexitySettings
from tunesmith_torch.api.model import label_log_probs, load_model, pack
from tunesmith_torch.api.text import ChatTokenizer


@torch.no_grad()
def losses(
    subject: Artifact, scored: Sequence[Scored], settings: PerplexitySettings, step: Step, chat: ChatTokenizer
) -> list[tuple[float, int]]:
    """(Summed loss, number of labels) of each row."""
    device = step.placement.torch
    dtype, reason = compute_type(settings.dtype, _stored(subject), step.placement)
    step.decide(f"dtype {dtype}", reason)
    model = load_model(subject, device, dtype)
    inputs_of = chat.inputs_of(model)
    found: list[tuple[float, int]] = []
    for batch in batches(scored, settings.max_tokens_per_microbatch):
        step.check_cancelled()
        packed = pack([scored[index].sequence for index in batch], device, inputs_of=inputs_of)
        log_probs = label_log_probs(model, packed).double()
        found += [(-float(part.sum()), len(part)) for part in log_probs.split(packed.lengths)]
        step.progress(len(found), len(scored), what="scoring", unit="rows")
    return found


def _stored(subject: Artifact) -> str:
    config = subject.path / "config.json"
    return stored_type(json.loads(config.read_text(encoding="utf-8"))) if config.is_file() else ""
