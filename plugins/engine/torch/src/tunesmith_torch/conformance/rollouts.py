"""Completions as no model has written them, for checks of objectives that learn from such."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tunesmith_torch.api import Group, Rollout, Sampling, Score
from tunesmith_torch.training.experience.groups import experience_groups

SAMPLES = 4  # of a prompt
_ENDED = 2  # the token after which a completion is over


def pretended(objective: Any, prompts: Sequence[Group]) -> list[Group]:
    """The groups of these prompts' completions, of several lengths and rewards, one of them truncated; as the engine makes them."""
    rollouts = [[_rollout(prompt, row, sample) for sample in range(SAMPLES)] for row, prompt in enumerate(prompts, 1)]
    return [group for groups in experience_groups(rollouts, objective.learn(rollouts), budget=10**6) for group in groups]


def drawn(sampling: Sampling) -> dict[str, Any]:
    """What the engine's sampler takes as the tokens of one completion whose logits are always the same, where it would
    stop, and which of a collection's batches each step learns from."""
    import torch

    from tunesmith_torch.training.experience.token_choice import choose

    logits = torch.linspace(-3, 3, 50).repeat(sampling.max_completion_length, 1)
    ids, log_probs = choose(logits, sampling, [(0.37 * at) % 1 for at in range(len(logits))])
    order = [place % sampling.steps_per_generation for place in range(sampling.steps)]  # of a collection's batches
    return {"tokens": ids.tolist(), "log_probs": log_probs.tolist(), "stop": list(sampling.stop), "order": order}


def _rollout(prompt: Group, row: int, sample: int) -> Rollout:
    drawn = random.Random(f"{row} {sample}")
    tokens = [drawn.randrange(32, 127) + 3 for _ in range(3 + 2 * sample)]
    finished = sample != 1
    log_probs = [-0.1 - 2 * drawn.random() for _ in range(len(tokens) + finished)]
    text = bytes(token - 3 for token in tokens).decode()
    done = Rollout(
        row, sample, 0, tuple(prompt.sequences[0].tokens), (*tokens, *[_ENDED] * finished), log_probs, text, finished, prompt.facts,
        score=Score(round(drawn.random(), 2)),
    )  # fmt: skip
    return replace(done, old=[value + 0.2 * (drawn.random() - 0.5) for value in log_probs])
