"""Rollouts scored by the rewards that the settings name, and by what their environment gave for each turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tunesmith.contracts import UserError
from tunesmith_completions.settings import SamplingSettings
from tunesmith_torch.api import Rollout, Score

if TYPE_CHECKING:
    from tunesmith_rewards.api import EnvironmentRunner, RewardRunner, RewardSpec


class RewardScores:
    """Callable: rollouts -> scores. The processes of rewards begin with `open`, or the first call, and end with `close`.

    Args:
        name: of the objective, for messages.
    """

    def __init__(self, settings: SamplingSettings, name: str) -> None:
        self.settings, self.name = settings, name
        self._runner: RewardRunner | None = None
        self._environment: EnvironmentRunner | None = None

    def __call__(self, rollouts: Sequence[Rollout]) -> list[Score]:
        """
        Raises:
            UserError: as `open`; what the runner says when a reward fails too often.
        """
        by_rewards: Iterator[Score] = iter(self._by_rewards([one for one in rollouts if not one.failure]))
        if not self.settings.environment:
            return list(by_rewards)
        named = self.environment.spec
        return [
            Score(None, {named.name: None}, failed=True) if one.failure
            else _with(next(by_rewards) if self.settings.rewards else None, named, episode_reward(one))
            for one in rollouts
        ]  # fmt: skip

    def _by_rewards(self, rollouts: Sequence[Rollout]) -> list[Score]:
        if not rollouts or not (self.settings.rewards or not self.settings.environment):
            return []
        prompts, texts = [rollout.prompt_text for rollout in rollouts], [rollout.text for rollout in rollouts]
        scores = self._rewards({}).score(prompts, texts, [rollout.facts["row"] for rollout in rollouts])
        return [Score(score.total, score.parts, bool(score.failed)) for score in scores]

    @property
    def environment(self) -> EnvironmentRunner:
        """Its process begins with the first use."""
        if self._environment is None:
            from tunesmith_rewards.api import EnvironmentRunner, read_environment

            settings = self.settings
            self._environment = EnvironmentRunner(
                read_environment(settings.environment), timeout=settings.environment_timeout, num_workers=settings.environment_workers,
                max_failed_share=settings.max_failed_share, python=settings.environment_python,
            )  # fmt: skip
        return self._environment

    def open(self, inputs: Mapping[str, str] | None = None) -> None:
        """
        Args:
            inputs: see `read_rewards`.

        Raises:
            UserError: TS-TRAIN-125 when nothing is named; TS-REWARD-008 for an input that none of the rewards reads; what rewards and
                environment say when they can't be made.
        """
        if self.settings.rewards or inputs or not self.settings.environment:
            self._rewards(inputs or {})
        if self.settings.environment:
            self.environment.start()

    def _rewards(self, inputs: Mapping[str, str]) -> RewardRunner:
        if self._runner is not None:
            return self._runner
        from tunesmith_rewards.api import RewardRunner, read_rewards

        settings = self.settings
        check_named(settings, self.name)
        runner = RewardRunner(
            read_rewards(settings.rewards, inputs=inputs), timeout=settings.reward_timeout, max_failed_share=settings.max_failed_share
        )  # fmt: skip
        self._runner = runner  # before its processes begin, so that `close` ends them whatever happens
        runner.start()
        return runner

    def close(self) -> None:
        for runner in filter(None, (self._runner, self._environment)):
            runner.close()
        self._runner = self._environment = None


def check_named(settings: SamplingSettings, name: str) -> None:
    """
    Raises:
        UserError: TS-TRAIN-125 when neither rewards nor an environment are named.
    """
    if not (settings.rewards or settings.environment):
        raise UserError(
            "TS-TRAIN-125", f"`{name}` is given no reward", why="It learns from what rewards say of the model's completions.",
            fix="Name some in its setting `rewards`, or an `environment`; `tunesmith plugin list --kind reward` shows those installed.",
        )  # fmt: skip


def episode_reward(rollout: Rollout) -> float | None:
    """What an environment gave for all turns; None where it said nothing of any."""
    given = [turn.reward for turn in rollout.turns if turn.reward is not None]
    return sum(given) if given else None


def _with(score: Score | None, environment: RewardSpec, reward: float | None) -> Score:
    """A score with the environment's part; unscored where that counts and is missing."""
    before = score or Score(0.0)
    if (environment.weight and reward is None) or before.reward is None:
        total = None
    else:
        total = before.reward + environment.weight * (reward or 0.0)
    return Score(total, {environment.name: reward, **before.parts}, before.failed)
