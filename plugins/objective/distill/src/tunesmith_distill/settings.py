"""Settings of the objective `distill`. `beta` is TRL's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting


@dataclass(frozen=True)
class DistillSettings:
    beta: float = setting(
        0.0, "between the two divergences. 0: forward, cover all that the teacher might say; 1: reverse, say only what it would; between: "
        "the generalised Jensen-Shannon divergence", ge=0, le=1,
    )  # fmt: skip
    top_k: int = setting(
        64, "of how many of the teacher's most likely tokens the probabilities count each by itself; the rest count together", ge=1,
        examples=(16,), aliases=("teacher_top_k",),
    )  # fmt: skip
    sft_weight: float = setting(
        0.0, "share of the loss that is the plain likelihood of the answer in the data, instead of the teacher's", ge=0, lt=1,
        aliases=("sft_alpha",),
    )  # fmt: skip
