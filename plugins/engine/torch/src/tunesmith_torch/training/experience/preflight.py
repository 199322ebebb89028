"""What the first collection says of the rewards, before anything is learned: whether there is a signal, and whether junk has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from tunesmith.contracts import Step
from tunesmith_torch.api import Rollout, Score

PROMPTS = 4  # that junk is tried on
_MUTE, _UNSCORED = 0.8, 0.1  # shares beyond which it is a warning
_REPEATS = 20  # of a first sentence

Groups = Sequence[Sequence[Rollout]]


def preflight(step: Step, groups: Groups, score: Callable[[Sequence[Rollout]], Sequence[Score]], seconds: float) -> None:
    """
    Args:
        groups: the completions of each prompt, scored.
        seconds: that scoring took.
    """
    every = [rollout for group in groups for rollout in group]
    unscored, failed = sum(one.reward is None for one in every), sum(bool(one.score and one.score.failed) for one in every)
    beside = compared(groups)
    mute = sum(without_gradient(group) for group in beside) / len(beside)
    step.decide(
        f"{mute:.0%} of the first {len(groups)} prompts give no gradient",
        f"all their completions have the same reward; of {len(every)} completions {unscored} are unscored, {failed} of them because a "
        f"reward failed; a call takes {1000 * seconds / max(1, len(every)):.3g} ms",
    )
    if mute > _MUTE and unscored < len(every):
        step.log(
            "most prompts give no gradient: their completions all have the same reward. Prompts that are neither always nor never solved, "
            "a reward with more steps between, or a higher `temperature` would give one", "warning",
        )  # fmt: skip
    if unscored > _UNSCORED * len(every):
        step.log(f"{unscored} of the first {len(every)} completions could not be scored: they are not learned from", "warning")
    best, junk = _junk_scores(groups, score)
    if junk:
        told = "; ".join(f"{name} {value:.3g}" for name, value in junk.items())
        step.decide(f"what junk scores: {told}", f"the best completion of each prompt has {best:.3g} on average")
    if winning := [f"{name} {value:.3g} (the best of each prompt {best:.3g})" for name, value in junk.items() if value > best]:
        step.log(
            f"junk scores higher than the best that the model writes: {'; '.join(winning)}. Training would learn to write that: give the "
            "rewards a part that it fails", "warning",
        )  # fmt: skip


def compared(groups: Groups) -> Groups:
    """Completions that are held against each other: a prompt's, or all where each prompt has one."""
    return groups if max(map(len, groups), default=0) > 1 else [[one for group in groups for one in group]]


def without_gradient(group: Sequence[Rollout]) -> bool:
    """Whether all of a prompt's completions that were scored have the same reward."""
    return len({one.reward for one in group if one.reward is not None}) < 2


def _junk_scores(groups: Groups, score: Callable[[Sequence[Rollout]], Sequence[Score]]) -> tuple[float, dict[str, float]]:
    """What the best completions have on average, and what each kind of junk; none where all completions have the same."""
    tried = groups[:PROMPTS]
    best = fmean(max((one.reward for one in group if one.reward is not None), default=0.0) for group in compared(tried))
    real = [one.reward for group in tried for one in group if one.reward is not None]
    if not real or best == min(real):  # nothing of it differs: that is told above
        return best, {}
    junk = {name: [replace(group[0], text=make(group), score=None) for group in tried] for name, make in _JUNK.items()}
    scores = score([rollout for kind in junk.values() for rollout in kind])
    found: dict[str, float] = {}
    for at, name in enumerate(junk):
        own = [one.reward for one in scores[at * len(tried) : (at + 1) * len(tried)] if one.reward is not None]
        found |= {name: fmean(own)} if own else {}
    return best, found


_JUNK: Mapping[str, Callable[[Sequence[Rollout]], str]] = {
    "an empty text": lambda group: "",
    "the longest text": lambda group: "and so on, as it was said before, " * (max(len(one.text) for one in group) // 8 + 1),
    "a repeated sentence": lambda group: ". ".join([group[0].text.strip().split(". ")[0][:200] or "the"] * _REPEATS),
    "the prompt itself": lambda group: group[0].prompt_text,
}
