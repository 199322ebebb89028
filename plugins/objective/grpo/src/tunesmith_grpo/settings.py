"""Settings of the objective `grpo`. Names are TRL's."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import UserError, setting
from tunesmith_completions import OffPolicySettings

_SEVERAL = {"effect": {"with": {"num_iterations": 2}}}


@dataclass(frozen=True)
class GroupSettings(OffPolicySettings):
    num_generations: int = setting(8, "completions of each prompt", ge=2)
    loss_type: str = setting(
        "dapo", "how the losses of tokens are averaged. dapo: over the batch's tokens; grpo: over each completion's tokens, then over the "
        "completions; dr_grpo: over the tokens that there could be; cispo: over the batch's tokens, the clipped ratio without a gradient",
        choices=("dapo", "grpo", "dr_grpo", "cispo"),
    )  # fmt: skip
    advantage_estimator: str = setting(
        "grpo", "what a reward is compared with. grpo: the mean of the prompt's completions; rloo: the mean of its other completions; "
        "reinforce_plus_plus: the mean of all that were sampled at a time",
        choices=("grpo", "rloo", "reinforce_plus_plus"),
    )  # fmt: skip
    scale_rewards: str = setting(
        "group", "standard deviation that advantages are divided by: of the prompt's completions, of all that were sampled at a time "
        "(batch), or none",
        choices=("group", "batch", "none"),
    )  # fmt: skip
    importance_sampling_level: str = setting(
        "token", "whose probability is compared with what it was when it was sampled: each token's, or the completion's (sequence: GSPO)",
        choices=("token", "sequence"), **_SEVERAL,
    )  # fmt: skip
    epsilon: float = setting(0.2, "how far the ratio of probabilities may fall below 1 and rise above it before it is clipped", gt=0, lt=1)
    epsilon_high: float = setting(
        0.0, "how far it may rise (clip-higher: 0.28), where that is another number; with `cispo` the largest ratio (5). 0: `epsilon`", ge=0
    )
    beta: float = setting(0.0, "how strongly the model is held to what it was before training; 0: not, and no reference is computed", ge=0)
    num_iterations: int = setting(1, "passes over the completions before new ones are sampled", ge=1)
    steps_per_generation: int = setting(1, "optimizer steps that completions are sampled for at a time, `batch_size` prompts each", ge=1)
    max_resamplings: int = setting(
        0, "times that a prompt is completed anew while all its completions have the same reward (DAPO's dynamic sampling); 0: never", ge=0,
    )  # fmt: skip
    mask_truncated_completions: bool = setting(False, "don't learn from completions that were truncated")

    def check(self) -> None:
        """
        Raises:
            UserError: TS-TRAIN-123 for settings that contradict one another.
        """
        if self.loss_type == "cispo" and not self.epsilon_high > 1:
            raise _misfit(
                "`loss_type: cispo` needs the largest ratio as `epsilon_high`", "It is above 1, where others say how far above.",
                "Set `epsilon_high: 5`, as its paper's successors do.",
            )  # fmt: skip
        if self.loss_type == "cispo" and self.importance_sampling_level == "sequence":
            raise _misfit("`cispo` weighs tokens, not sequences", "Its clipped ratio is each token's.", "Leave one of them out.")
        if self.advantage_estimator != "grpo" and self.scale_rewards == "group":
            raise _misfit(
                f"`advantage_estimator: {self.advantage_estimator}` is not divided by a group's deviation", "Its paper has none of it.",
                "Set `scale_rewards: none`, or `batch` for REINFORCE++.",
            )  # fmt: skip


def _misfit(what: str, why: str, fix: str) -> UserError:
    return UserError("TS-TRAIN-123", what, why=why, fix=fix)
