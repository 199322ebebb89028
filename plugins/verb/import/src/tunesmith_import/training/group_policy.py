"""GRPO and RLOO by TRL's names, which ms-swift and axolotl share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith_import.api.contract import Options
from tunesmith_import.mapping.account import Account
from tunesmith_import.mapping.draft import Draft
from tunesmith_import.training.batch import batch

_LOSSES = ("grpo", "dapo", "dr_grpo", "cispo")


def groups(
    account: Account, draft: Draft, options: Options, rewards: Mapping[str, Any], *, loss: str = "grpo", beta: float = 0.0,
    leave_one_out: bool = False,
) -> None:  # fmt: skip
    """A batch counts prompts here, and completions there.

    Args:
        rewards: names of theirs -> ours, with settings.
        loss: the tool's default; `beta`: its default of the KL's weight.
        leave_one_out: RLOO.
    """
    number = int(account.number("num_generations") if account.given("num_generations") or not leave_one_out else 2)
    draft.set("objective.num_generations", number, account.take("num_generations", "objective.num_generations"))
    batch(account, draft, options)
    completions, origins = draft.values["settings.batch_size"]
    if number < 1:  # the plan says what a group needs
        number = 1
    if completions % number:
        account.refuse("num_generations", "a batch of completions is no whole number of prompts", "choose a batch that it divides")
    draft.set("settings.batch_size", max(1, completions // number), *origins, note=f"of completions, / {number} of each prompt")
    if leave_one_out:
        draft.set("objective.advantage_estimator", "rloo", note="RLOO")
        draft.set("objective.scale_rewards", "none", note="RLOO")
    else:
        _group_loss(account, draft, loss)
    _group_beta(account, draft, 0.05 if leave_one_out else beta, leave_one_out)
    to = "objective.max_completion_length"
    draft.set(to, account.number("max_completion_length"), account.take("max_completion_length", to))
    if account.get("epsilon_high") is not None:
        draft.set("objective.epsilon_high", account.number("epsilon_high"), account.take("epsilon_high", "objective.epsilon_high"))
    _generations(account, draft)
    _rewards(account, draft, rewards)


def _group_loss(account: Account, draft: Draft, usual: str) -> None:
    loss = (account.names("loss_type") or [usual])[0]
    if loss in _LOSSES:
        draft.set("objective.loss_type", loss, account.take("loss_type", "objective.loss_type"))
    else:
        account.refuse("loss_type", "there is no such loss", "dapo, grpo, dr_grpo or cispo")
    scale = str(account.get("scale_rewards", "group")).lower()
    scale = {"true": "group", "false": "none"}.get(scale, scale)
    if scale in ("group", "batch", "none"):
        draft.set("objective.scale_rewards", scale, account.take("scale_rewards", "objective.scale_rewards"))
    else:
        account.refuse("scale_rewards", "it has no such value here", "one of: group, batch, none")


def _group_beta(account: Account, draft: Draft, usual: float, in_reward: bool) -> None:
    beta = account.number("beta", usual)
    origin = account.take("beta", "objective.beta")
    draft.set("objective.beta", beta, origin, note="in the loss, there in the reward" if in_reward else "")


def _generations(account: Account, draft: Draft) -> None:
    accumulation = account.number("gradient_accumulation_steps")
    if account.get("steps_per_generation"):
        steps = account.number("steps_per_generation") / accumulation
        if steps >= 1 and float(steps).is_integer():
            to = "objective.steps_per_generation"
            draft.set(to, int(steps), account.take("steps_per_generation", to), note="optimizer steps, there forward passes")
        else:
            account.refuse("steps_per_generation", "completions are written for whole optimizer steps")
    if account.get("generation_batch_size"):
        account.refuse("generation_batch_size", "completions are written for whole optimizer steps", "set `steps_per_generation`")


def _rewards(account: Account, draft: Draft, rewards: Mapping[str, Any]) -> None:
    names, weights = account.names("reward_funcs"), account.get("reward_weights")
    known = [rewards[name] for name in names if name in rewards]
    if names and len(known) == len(names):
        origin = account.take("reward_funcs", "objective.rewards")
        if isinstance(weights, list) and len(weights) == len(known):
            known = [
                {**(one if isinstance(one, dict) else {one: {}}), "weight": float(weight)}
                for one, weight in zip(known, weights, strict=True)
            ]
            account.take("reward_weights", "objective.rewards")
        draft.set("objective.rewards", known, origin)
    else:
        account.refuse("reward_funcs", "rewards are plugins, not functions of a script", "see `tunesmith plugin list reward`")
        account.refuse("reward_weights", "rewards are plugins, not functions of a script", "write `weight` beside the reward")
        draft.set("objective.rewards", known or ["exact"], note="to be filled in")
    account.refuse("reward_model_name_or_path", "another model is the result of a step", "name that step as `reward_model`")
