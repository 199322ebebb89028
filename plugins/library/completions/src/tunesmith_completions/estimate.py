"""What the plan asks an objective that learns from rewards: its parts of the estimate, and whether what its settings name is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tunesmith.contracts import EstimateRequest
from tunesmith_torch.api import Asks


def completion_estimator(
    asks: Callable[[Any], Asks], settings: Callable[..., Any], name: str
) -> Callable[[EstimateRequest], Mapping[str, float]]:
    """The record's estimator. A plan calls it for each step that is to run, so names and settings of rewards and of an environment that
    can't be used are refused there, before anything is computed.

    Args:
        asks: what is asked of the model, by settings.
        settings: their class.
        name: of the objective, for messages.
    """

    def estimate(request: EstimateRequest) -> Mapping[str, float]:
        """
        Raises:
            UserError: TS-TRAIN-125 when neither rewards nor an environment are named; what `read_rewards` and `read_environment` say;
                TS-REWARD-014 for an interpreter that is not there; what `asks` says.
        """
        from tunesmith_completions.scores import check_named
        from tunesmith_rewards.api import EnvironmentRunner, read_environment, read_rewards

        chosen = settings(**request.settings)
        asked = asks(chosen)
        if asked.sampling and "sampler" in request.inputs:
            asked.sampling.check_whole()
        check_named(chosen, name)
        if chosen.rewards:
            read_rewards(chosen.rewards)
        if chosen.environment:
            EnvironmentRunner(read_environment(chosen.environment), python=chosen.environment_python).close()  # starts no process
        return asked.parts

    return estimate
