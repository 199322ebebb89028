"""What objectives that learn from completions share: prompts of rows, scores of rewards, and the rules by which something is warned of."""

from __future__ import annotations

import pytest

from tunesmith.contracts import UserError
from tunesmith_completions import CompletionObjective, SamplingSettings, signs
from tunesmith_data.api import message
from tunesmith_torch.api import Rollout, Score
from tunesmith_torch.conformance.objective import PlainChat


def points(**series):
    return [dict(zip(series, values, strict=True)) for values in zip(*series.values(), strict=True)]


def test_a_row_is_its_prompt_with_its_columns_for_rewards():
    objective = CompletionObjective(SamplingSettings(), "grpo")
    row = {"messages": [message("user", "Who?")], "columns": {"answer": "Goethe"}}
    group = objective.encode(row, PlainChat())
    assert not any(group.sequences[0].labels)
    assert group.facts["row"] == {"answer": "Goethe", "messages": row["messages"]}
    with pytest.raises(UserError, match="TS-TRAIN-124"):
        objective.encode({"messages": [message("assistant", "I.")]}, PlainChat())


def test_without_a_reward_nothing_is_made_and_the_objective_is_named():
    with pytest.raises(UserError, match=r"TS-TRAIN-125.*`ppo`"):
        CompletionObjective(SamplingSettings(), "ppo").open({})


def test_completions_that_are_written_ahead_are_not_written_anew():
    settings = SamplingSettings(one_step_off_policy=True)
    assert settings.sampling(num_iterations=2).version(3) == 4
    assert SamplingSettings().sampling(num_iterations=2).version(3) == 6
    with pytest.raises(UserError, match="TS-TRAIN-128"):
        settings.sampling(max_resamplings=1)


def test_rewards_are_asked_with_the_limits_of_the_settings(monkeypatch):
    import tunesmith_rewards.api as api

    class Runner:
        def __init__(self, rewards, **limits):
            self.names, self.limits = [one.name for one in rewards], limits

        def start(self):
            made.append((self.names, self.limits))

        def score(self, prompts, texts, rows):
            return [api.Score(float(len(text)), {"exact": float(len(text))}, {}) for text in texts]

        def close(self):
            made.append("closed")

    made = []
    monkeypatch.setattr(api, "RewardRunner", Runner)
    objective = CompletionObjective(SamplingSettings(rewards=["exact"], reward_timeout=5, max_failed_share=1), "grpo")
    rollouts = [Rollout(1, at, 0, [1], [2], [-1.0], "x" * at, True, {"row": {}}) for at in range(2)]
    assert objective.score(rollouts) == [Score(0.0, {"exact": 0.0}), Score(1.0, {"exact": 1.0})]
    objective.close()
    assert made == [(["exact"], {"timeout": 5, "max_failed_share": 1}), "closed"]


def test_a_reward_that_rises_with_length_alone_is_told():
    steps = range(40)
    lengths = [20.0 + 3 * step for step in steps]
    rising = points(**{"reward": [0.1 * step for step in steps], "reward_std": [0.5] * 40, "completions/mean_length": lengths})
    assert ["length" in sentence for sentence in signs(rising)] == [True]
    assert signs(rising[:19]) == []
    assert signs([{**point, "completions/mean_length": 20.0} for point in rising]) == []


def test_steps_without_a_gradient_and_truncated_completions_are_told():
    dull = points(
        **{
            "reward": [1.0] * 20, "reward_std": [0.0] * 20, "completions/mean_length": [9.0] * 20, "frac_reward_zero_std": [1.0] * 20,
            "completions/clipped_ratio": [0.6] * 20,
        }
    )  # fmt: skip
    assert len(signs(dull)) == 2
    assert signs([{**point, "frac_reward_zero_std": 0.9, "completions/clipped_ratio": 0.4} for point in dull]) == []
