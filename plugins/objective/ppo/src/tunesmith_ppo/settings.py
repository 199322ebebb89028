"""Settings of the objective `ppo`. Names are those of TRL's PPOConfig, while TRL had PPO."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.contracts import UserError, setting
from tunesmith_completions import OffPolicySettings

_ADAPTED = {"effect": {"with": {"adap_kl_ctrl": True}}}


@dataclass(frozen=True)
class ProximalSettings(OffPolicySettings):
    num_generations: int = setting(1, "completions of each prompt", ge=1)
    num_ppo_epochs: int = setting(4, "passes over the completions before new ones are sampled", ge=1)
    num_mini_batches: int = setting(
        1, "optimizer steps of a pass: completions of so many times `batch_size` prompts are sampled at a time, and divided anew for each "
        "pass", ge=1,
    )  # fmt: skip
    kl_coef: float = setting(
        0.05, "how much of a token's reward is taken away for each nat that it has become likelier than before training; 0: nothing", ge=0
    )
    kl_estimator: str = setting(
        "k1", "of the distance from the model before training at a token. k1: the log-ratio; k3: never below 0, and with less variance",
        choices=("k1", "k3"),
    )  # fmt: skip
    adap_kl_ctrl: bool = setting(
        False, "raise `kl_coef` where completions are further than `target` from the model before training, and lower it where they are "
        "nearer",
    )  # fmt: skip
    target: float = setting(6.0, "distance of a completion that is aimed at, in nats", gt=0, **_ADAPTED)
    horizon: int = setting(10000, "completions in which `kl_coef` changes by at most a fifth", ge=1, **_ADAPTED)
    gamma: float = setting(1.0, "what a reward counts a token earlier", ge=0, le=1)
    lam: float = setting(0.95, "how far a token's advantage looks ahead: 0: one token, 1: to the end of the completion", ge=0, le=1)
    cliprange: float = setting(0.2, "how far the ratio of probabilities may fall below 1 and rise above it before it is clipped", gt=0)
    cliprange_value: float = setting(0.2, "how far a value may move from what it was before the loss takes no more of it", gt=0)
    vf_coef: float = setting(0.1, "how much of the values' loss is added to that of the policy", ge=0)
    whiten_rewards: bool = setting(False, "divide rewards by their standard deviation over the tokens of all completions sampled at a time")
    missing_eos_penalty: float = setting(0.0, "what is taken away from the reward of a completion that was truncated", ge=0)

    def check(self) -> None:
        """
        Raises:
            UserError: TS-TRAIN-127 for settings that contradict one another.
        """
        if self.adap_kl_ctrl and not self.kl_coef:
            raise UserError(
                "TS-TRAIN-127", "`adap_kl_ctrl` has no `kl_coef` to adapt", why="It is multiplied, and 0 stays 0.",
                fix="Give the `kl_coef` to begin with, as 0.05, or leave `adap_kl_ctrl` out.",
            )  # fmt: skip
