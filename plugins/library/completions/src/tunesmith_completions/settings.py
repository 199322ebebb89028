"""Settings that all objectives have which learn from rewards of completions. Names are TRL's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunesmith.contracts import UserError, setting
from tunesmith_torch.api import Sampling

#: the fact ``metrics`` of an objective's record: what the engine adds to the result of such a training
METRICS = {"reward": {"better": "higher", "summary": "mean of the completions' rewards over the last ten steps"}}
_RUNNER = {"effect": {"call": "tunesmith_rewards.api:RewardRunner", "with": {"rewards": ["exact"]}}}
_PLAYER = {"effect": {"call": "tunesmith_rewards.api:EnvironmentRunner", "with": {"environment": "guess-number"}}}


@dataclass(frozen=True)
class SamplingSettings:
    rewards: list[Any] = setting(
        [], "what completions are worth: names of installed rewards, or mappings of a name to its settings, with `weight`, `only` and `as` "
        "beside it", effect={"call": "tunesmith_rewards.api:read_rewards"},
        examples=(["exact"], [{"exact": {"column": "answer"}, "weight": 0.5}]),
    )  # fmt: skip
    reward_timeout: float = setting(
        30.0, "seconds that a reward may take for a completion, or for a batch where it takes several at once; then it has failed", gt=0,
        **_RUNNER,
    )  # fmt: skip
    max_failed_share: float = setting(
        0.1, "share of a reward's latest calls that may fail before training stops; 1: all", ge=0, le=1, **_RUNNER
    )
    environment: Any = setting(
        "", "what replies to the model's answers over several turns: the name of an installed environment, or a mapping of that to its "
        "settings, with `weight` and `as` beside it; empty: a completion is one answer",
        effect={"call": "tunesmith_rewards.api:read_environment"}, examples=("guess-number", {"guess-number": {"highest": 4}}),
    )  # fmt: skip
    max_turns: int = setting(
        8, "answers of the model in an episode, with an `environment`", ge=1, effect={"with": {"environment": "guess-number"}}
    )
    environment_timeout: float = setting(
        30.0, "seconds that an environment may take for a reply; then the episode has failed", gt=0, **_PLAYER
    )
    environment_workers: int = setting(1, "processes of the environment; each plays its episodes one after the other", ge=1, **_PLAYER)
    environment_python: str = setting(
        "", "interpreter of these processes, where the environment can't live with the packages of the training: it has the library that "
        "the environment runs on; empty: that of the training", path=True,
        effect={"call": "tunesmith_rewards.api:EnvironmentRunner", "with": {"environment": "guess-number"}},
    )  # fmt: skip
    max_completion_length: int = setting(
        256, "longest completion in tokens; a longer one is truncated there. With an `environment`: of all turns, replies included", ge=1
    )
    temperature: float = setting(1.0, "of sampling, and of all log-probabilities in training", gt=0)
    stop: list[str] = setting([], "texts after which a completion is over, beside the model's end tokens")
    one_step_off_policy: bool = setting(
        False,
        "write completions with the model as it is before the optimizer steps on others, and score them while it makes those",
    )

    def sampling(self, **more: Any) -> Sampling:
        """As the engine is asked for it.

        Args:
            more: what of `Sampling` is the objective's own.

        Raises:
            UserError: TS-TRAIN-128 for `max_resamplings` with `one_step_off_policy`.
        """
        if self.one_step_off_policy and more.get("max_resamplings"):
            raise UserError(
                "TS-TRAIN-128", "`one_step_off_policy` leaves no time for `max_resamplings`",
                why="What completions are worth is known when the model that wrote them is gone: others would be another model's.",
                fix="Leave one of them out.",
            )  # fmt: skip
        return Sampling(
            max_completion_length=self.max_completion_length, temperature=self.temperature, stop=tuple(self.stop),
            one_step_off_policy=self.one_step_off_policy,
            max_turns=self.max_turns if self.environment else 0, **more,
        )  # fmt: skip
