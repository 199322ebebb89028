"""Rollouts scored by the rewards that the settings name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tunesmith.contracts import UserError
from tunesmith_completions.settings import SamplingSettings
from tunesmith_torch.api import Rollout, Score

if TYPE_CHECKING:
    from tunesmith_rewards.api import RewardRunner


class RewardScores:
    """Callable: rollouts -> scores. The rewards' processes begin with `open`, or the first call, and end with `close`.

    Args:
        name: of the objective, for messages.
    """

    def __init__(self, settings: SamplingSettings, name: str) -> None:
        self.settings, self.name = settings, name
        self._runner: RewardRunner | None = None

    def __call__(self, rollouts: Sequence[Rollout]) -> list[Score]:
        """
        Raises:
            UserError: as `open`; what the runner says when a reward fails too often.
        """
        if not rollouts:
            return []
        prompts, texts = [rollout.prompt_text for rollout in rollouts], [rollout.text for rollout in rollouts]
        scores = self.open().score(prompts, texts, [rollout.facts["row"] for rollout in rollouts])
        return [Score(score.total, score.parts, bool(score.failed)) for score in scores]

    def open(self, inputs: Mapping[str, str] | None = None) -> RewardRunner:
        """
        Args:
            inputs: see `read_rewards`.

        Raises:
            UserError: TS-TRAIN-125 when no reward is named; TS-REWARD-008 for an input that none of them reads; what the rewards say when
                they can't be made.
        """
        if self._runner is not None:
            return self._runner
        from tunesmith_rewards.api import RewardRunner, read_rewards

        if not self.settings.rewards:
            raise UserError(
                "TS-TRAIN-125", f"`{self.name}` is given no reward", why="It learns from what rewards say of the model's completions.",
                fix="Name some in its setting `rewards`; `tunesmith plugin list --kind reward` shows those installed.",
            )  # fmt: skip
        settings = self.settings
        runner = RewardRunner(
            read_rewards(settings.rewards, inputs=inputs or {}), timeout=settings.reward_timeout, max_failed_share=settings.max_failed_share
        )  # fmt: skip
        self._runner = runner  # before its processes begin, so that `close` ends them whatever happens
        runner.start()
        return runner

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()
            self._runner = None
