"""What may be tried when training fails. Asked in the host: standard library and contracts only.

None of the answers changes what a batch is; whatever else they change is told in the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.contracts import Remedy, TunesmithError
from tunesmith_torch.estimate.micro_batch import usual

SLOWER = 4.0  # what the rate is divided by after a divergence
CLIP = 1.0  # the highest gradient norm after one
SAMPLER = ("TS-TRAIN-136", "TS-TRAIN-137")  # one that died, or that somebody else has given an adapter
LOST = ("TS-RUN-013", "TS-RUN-026", "TS-RUN-027")  # a rank that died, was stopped, or for which the others wait
TRIES = 3  # times that a step is tried which loses ranks, or its sampler


def remedy(settings: Mapping[str, Any], error: TunesmithError, attempt: int) -> Remedy | None:
    """What to do about `error` of a `train` step with these settings, tried for the `attempt`-th time; None if nothing helps."""
    settings = {**settings, **usual(settings)}
    if error.code in LOST and "rank" in error.facts and attempt < TRIES:
        return Remedy(f"{error.what}; the step goes on from its newest checkpoint", resume=True)
    if error.code in SAMPLER and attempt < TRIES:
        return Remedy(f"{error.what}; the step goes on from its newest checkpoint once it does", resume=True)
    if error.code == "TS-TRAIN-013":
        return _smaller(int(error.facts["tokens"]), settings)
    if error.code == "TS-TRAIN-014":
        return _checkpointing(settings)
    if error.code == "TS-RUN-012" and error.facts.get("signal"):  # ended from outside: it could not say where
        most = min(settings["max_tokens_per_microbatch"], settings["batch_size"] * settings["max_length"])
        return _smaller(most, settings) if most > settings["max_length"] else _checkpointing(settings)
    if error.code == "TS-TRAIN-001" and error.facts.get("step", 0) > 1:  # at the first step it is the model or the data
        return _slower(settings)
    return None


def _smaller(tokens: int, settings: Mapping[str, Any]) -> Remedy | None:
    half = max(1, min(tokens, settings["max_tokens_per_microbatch"]) // 2)
    if half >= settings["max_tokens_per_microbatch"]:
        return _checkpointing(settings)
    reason = f"a forward pass of up to {tokens} tokens did not fit in memory; the batch is cut into smaller ones, which gives the same loss"
    return Remedy(reason, {"max_tokens_per_microbatch": half}, resume=True)


def _checkpointing(settings: Mapping[str, Any]) -> Remedy | None:
    if settings["gradient_checkpointing"]:
        return None
    reason = "what is computed at once can't be cut further; activations are computed twice instead of kept, which gives the same loss"
    return Remedy(reason, {"gradient_checkpointing": True}, resume=True)


def _slower(settings: Mapping[str, Any]) -> Remedy:
    clip = settings["max_grad_norm"]
    reason = (
        f"training diverged: it goes on from the last checkpoint at which the loss had not risen above where it began, "
        f"with the rate divided by {SLOWER:g} and gradients clipped"
    )  # fmt: skip
    changed = {"learning_rate": settings["learning_rate"] / SLOWER, "max_grad_norm": min(clip, CLIP) if clip else CLIP}
    return Remedy(reason, changed, resume=True)
