"""Settings of the objective `online-dpo`. Names are TRL's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import setting
from tunesmith_completions import SamplingSettings


@dataclass(frozen=True)
class OnlinePreferenceSettings(SamplingSettings):
    num_generations: int = setting(2, "completions of each prompt: the one with the highest reward is compared with the lowest", ge=2)
    max_resamplings: int = setting(
        0, "times that a prompt is completed anew while all its completions have the same reward (DAPO's dynamic sampling); 0: never", ge=0,
    )  # fmt: skip
    loss_type: str = setting(
        "sigmoid", "of a pair. sigmoid: -log of the probability that the better one wins; ipo: the square of its margin's distance from a "
        "target",
        choices=("sigmoid", "ipo"),
    )  # fmt: skip
    beta: float = setting(0.1, "how strongly the model is held to what it was before training", gt=0)
    # Here alone: a pair's loss weighs no tokens by how likely they were drawn, so leaving some out makes no ratio wrong.
    top_p: float = setting(1.0, "sample among the likeliest tokens that make up this share; 1: all", gt=0, le=1)
    top_k: int = setting(0, "sample among so many likeliest tokens; 0: all", ge=0)
    min_p: float = setting(0.0, "sample among tokens at least so likely, as a share of the likeliest; 0: all", ge=0, lt=1)
    missing_eos_penalty: float = setting(0.0, "what is taken away from the reward of a completion that was truncated", ge=0)
