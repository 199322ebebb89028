"""What rewards of other plugins are made of, and what scores with them: all of `tunesmith_rewards` that others may import.

An author needs `Reward`, or `Opening` and `Observation` for an environment. Who trains or measures reads rewards with `read_rewards` and
scores with `RewardRunner`::

    rewards = read_rewards(["format", {"exact": {"column": "answer"}, "weight": 2.0}])
    with RewardRunner(rewards, timeout=30) as runner:
        pending = runner.submit(prompts, completions, rows)  # returns at once
        scores = pending.result()                            # a `Score` per row, in their order

and plays episodes in an environment with `read_environment` and `EnvironmentRunner`::

    with EnvironmentRunner(read_environment("calculator"), timeout=30) as runner:
        numbers = runner.reset([(row, seed)])             # of the episodes; `Reply` by number
        replies = runner.step({number: answer for number in numbers})

Standard library only.
"""

from typing import TYPE_CHECKING

from tunesmith.contracts.lazy_import import exports
from tunesmith_rewards.api.column import column
from tunesmith_rewards.api.environment import Closes, EndsEarly, Environment, Observation, Opening
from tunesmith_rewards.api.reward import Reward, ScoresBatches
from tunesmith_rewards.api.score import Score, Tally
from tunesmith_rewards.api.specification import RewardSpec, read_environment, read_rewards
from tunesmith_rewards.api.tool_calls import ToolCall, tool_calls

if TYPE_CHECKING:
    from tunesmith_rewards.runner.environment_runner import EnvironmentRunner, Reply
    from tunesmith_rewards.runner.junk import Probe, junk
    from tunesmith_rewards.runner.reward_runner import PendingScores, RewardRunner

#: Raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

__all__ = [
    "API", "Closes", "EndsEarly", "Environment", "EnvironmentRunner", "Observation", "Opening", "PendingScores", "Probe", "Reply", "Reward",
    "RewardRunner", "RewardSpec", "Score", "ScoresBatches", "Tally", "ToolCall", "column", "junk", "read_environment", "read_rewards",
    "tool_calls",
]  # fmt: skip

__getattr__ = exports(
    __name__,
    {
        "EnvironmentRunner": "tunesmith_rewards.runner.environment_runner",
        "Reply": "tunesmith_rewards.runner.environment_runner",
        "PendingScores": "tunesmith_rewards.runner.reward_runner",
        "RewardRunner": "tunesmith_rewards.runner.reward_runner",
        "Probe": "tunesmith_rewards.runner.junk",
        "junk": "tunesmith_rewards.runner.junk",
    },
)
