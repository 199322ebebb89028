"""Completions as no model has written them, for checks of objectives that learn from such."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunesmith_torch.api import AdaptsToExperience, Group, Rollout, Sampling, Score
from tunesmith_torch.training.experience.groups import experience_groups

SAMPLES = 4  # of a prompt, at least
_ENDED = 2  # the token after which a completion is over


def pretended(objective: Any, prompts: Sequence[Group]) -> list[Group]:
    """The groups of these prompts' completions, of several lengths and rewards, one of them truncated; as the engine makes them."""
    rollouts, state = _rollouts(objective, prompts), _state(objective)
    heads = bool(objective.asks.heads)
    found = experience_groups(rollouts, objective.learn(rollouts, state), heads=heads, budget=10**6)
    return [group for groups in found for group in groups]


def adapted(objective: Any, prompts: Sequence[Group]) -> dict[str, list[float]]:
    """The state of one that adapts to such completions, after a collection of them."""
    if not isinstance(objective, AdaptsToExperience):
        return {}
    found = objective.adapted(_state(objective), _rollouts(objective, prompts))
    return {name: value.flatten().tolist() for name, value in found.items()}


def _state(objective: Any) -> Mapping[str, Any]:
    return objective.initial_state() if isinstance(objective, AdaptsToExperience) else {}


def _rollouts(objective: Any, prompts: Sequence[Group]) -> list[list[Rollout]]:
    samples = range(max(SAMPLES, objective.asks.sampling.num_generations))
    rollouts = [[_rollout(prompt, row, sample) for sample in samples] for row, prompt in enumerate(prompts, 1)]
    heads = {head.name for head in objective.asks.heads}
    if objective.asks.sampling.measured:
        return [[_measured(one, heads) for one in own] for own in rollouts]
    return rollouts


def _measured(rollout: Rollout, heads: Iterable[str]) -> Rollout:
    drawn = random.Random(f"{rollout.row} {rollout.sample} measured")
    reference = [value + drawn.random() - 0.5 for value in rollout.old]
    return replace(rollout, reference=reference, heads={name: [2 * drawn.random() - 1 for _ in rollout.old] for name in sorted(heads)})


def drawn(sampling: Sampling) -> dict[str, Any]:
    """What the engine's sampler takes as the tokens of one completion whose logits are always the same, where it would
    stop, which model writes, and which of a collection's batches each step learns from."""
    import torch

    from tunesmith_torch.training.experience.collection import Collection, resampled
    from tunesmith_torch.training.experience.token_choice import choose

    logits = torch.linspace(-3, 3, 50).repeat(sampling.max_completion_length, 1)
    ids, log_probs = choose(logits, sampling, [(0.37 * at) % 1 for at in range(len(logits))])
    again: list[str] = []  # what a prompt is asked for that never gives a gradient

    def dull(prompts: list[int], attempt: int) -> dict[int, list[Rollout]]:
        again.append("other completions")
        return {prompt: [] for prompt in prompts}

    resampled({0: []}, dull, sampling.max_resamplings)
    batches = sampling.steps_per_generation
    prompts = Collection(0, [[]] * batches, [()] * batches, [1] * batches, 0)  # of a batch each
    order = [prompts.batch(place, shuffle=sampling.shuffle) for place in range(sampling.steps)]
    writes = [sampling.version(collection) for collection in range(3)]
    return {
        "tokens": ids.tolist(), "log_probs": log_probs.tolist(), "stop": list(sampling.stop), "order": order, "again": again,
        "writes": writes, "turns": [turn for turn in range(1, 100) if sampling.goes_on(turn)],
    }  # fmt: skip


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
