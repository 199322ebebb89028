"""What a batch's completions come to before they are learned from, by TRL's names.

reward                     mean of the weighted rewards of the step's completions
rewards/NAME/mean          of one of the rewards
reward_std                 deviation of the rewards among a prompt's completions, on average; of one each: among all
frac_reward_zero_std       share of the prompts whose completions all have the same reward: they give no gradient
frac_resampled             share of the prompts that were completed anew, where there are some
completions/mean_length    tokens of a completion that the model wrote
completions/clipped_ratio  share of the completions that were truncated
turns                      answers of an episode, where an environment replies
unscored                   share of the completions that no reward could be given
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

from tunesmith_torch.api import Rollout
from tunesmith_torch.training.experience.preflight import compared, without_gradient


def batch_metrics(groups: Sequence[Sequence[Rollout]]) -> dict[str, float]:
    """
    Args:
        groups: the completions of each prompt, scored.
    """
    every = [rollout for group in groups for rollout in group]
    rewards = [one.reward for one in every if one.reward is not None]
    spread = [pstdev(own) for group in compared(groups) if (own := [one.reward for one in group if one.reward is not None])]
    found = {"reward": fmean(rewards), "reward_std": fmean(spread)} if rewards else {}
    if compared(groups) is groups:
        found["frac_reward_zero_std"] = sum(map(without_gradient, groups)) / len(groups)
    for name in sorted({name for one in every if one.score for name in one.score.parts}):
        values = [value for one in every if one.score and (value := one.score.parts.get(name)) is not None]
        found |= {f"rewards/{name}/mean": fmean(values)} if values else {}
    if any(one.attempt for one in every):
        found["frac_resampled"] = sum(group[0].attempt > 0 for group in groups) / len(groups)
    found["completions/mean_length"] = fmean(len(one.log_probs) for one in every)
    found["completions/clipped_ratio"] = fmean(not one.finished for one in every)
    if any(one.turns for one in every):
        found["turns"] = fmean(len(one.turns) for one in every)
    found["unscored"] = 1 - len(rewards) / len(every)
    return found
