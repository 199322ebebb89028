"""Completions as the groups that an optimizer step learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith_torch.api import COMPLETIONS, Group, Rollout, TokenSequence


def experience_groups(
    rollouts: Sequence[Sequence[Rollout]], learned: Sequence[Sequence[Mapping[str, Any] | None]], *, heads: bool, budget: int
) -> list[list[Group]]:  # fmt: skip
    """The groups of each prompt: its completions that are learned from, with the facts of each; several where one forward pass would not
    hold them all. The prompt goes through the model once in each.

    Args:
        learned: what the objective's `learn` gave.
        heads: whether the objective has some.
        budget: tokens of a forward pass.
    """
    return [_of_prompt(own, facts, heads, budget) for own, facts in zip(rollouts, learned, strict=True)]


def _of_prompt(rollouts: Sequence[Rollout], learned: Sequence[Mapping[str, Any] | None], heads: bool, budget: int) -> list[Group]:
    parts: list[list[tuple[TokenSequence, Mapping[str, Any]]]] = []
    room = 0
    for rollout, facts in zip(rollouts, learned, strict=True):
        if facts is None:
            continue
        if not parts or room < len(rollout.completion):
            parts.append([])
            room = budget - len(rollout.prompt)
        room -= len(rollout.completion)
        parts[-1].append((sequence_of(rollout, heads=heads), facts))
    return [Group(tuple(sequence for sequence, _ in part), {COMPLETIONS: [facts for _, facts in part]}) for part in parts]


def sequence_of(rollout: Rollout, *, heads: bool = False) -> TokenSequence:
    """The tokens as they were sampled, with labels on those that the model wrote, and with `heads` a place before each of them."""
    labels = [False] * len(rollout.prompt) + rollout.written
    places = [at - 1 for at, label in enumerate(labels) if label] if heads else ()
    return TokenSequence([*rollout.prompt, *rollout.completion], labels, places=tuple(places))
