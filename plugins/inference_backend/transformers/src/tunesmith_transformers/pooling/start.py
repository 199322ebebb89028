"""From an artifact with a role to a running pooler, with every choice made on the way recorded."""

from __future__ import annotations

import json

import torch

from tunesmith.contracts import Artifact, Step
from tunesmith_models import compute_type, stored_type
from tunesmith_torch.api.scoring import load_scoring_model
from tunesmith_transformers.engine.metrics import Metrics
from tunesmith_transformers.engine.scheduler import Limits
from tunesmith_transformers.pooling.pooler import Pooler
from tunesmith_transformers.settings import TransformersSettings


def start_pooler(artifact: Artifact, settings: TransformersSettings, step: Step, metrics: Metrics) -> Pooler:
    """Load and start.

    Raises:
        UserError: as `load_scoring_model`.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    step.progress(0, 1, what="start the server")
    config = json.loads((artifact.path / "config.json").read_text(encoding="utf-8"))
    dtype, reason = compute_type(settings.dtype, stored_type(config), step.placement)
    step.decide(f"dtype {dtype}", reason)
    model = load_scoring_model(artifact, step.placement.torch, dtype)
    length = min(settings.max_model_len or model.positions, model.positions or settings.max_model_len)
    step.decide(f"at most {length} tokens each", f"the model has {model.positions} positions")
    limits = Limits(settings.max_num_seqs, length, settings.max_queued_requests, max(settings.chunked_prefill_size, 1))
    pooler = Pooler(model, limits, metrics)
    pooler.start()
    step.progress(1, 1, what="start the server")
    return pooler
