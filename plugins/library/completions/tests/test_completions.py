"""What objectives that learn from completions share: prompts of rows, scores of rewards, and the rules by which something is warned of."""

from __future__ import annotations

import sys

import pytest

from tunesmith.config import load_config
from tunesmith.contracts import EstimateRequest, TunesmithError, UserError
from tunesmith.plugins.registry import load_registry
from tunesmith_completions import CompletionObjective, SamplingSettings, completion_estimator, signs
from tunesmith_data.api import message
from tunesmith_sdk.testing.plans import plan_on_a_laptop
from tunesmith_torch.api import Asks, Reply, Rollout, Score, Turn
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


def episode(*rewards, failure="", text="x"):
    turns = tuple(Turn(at, at + 1, text, (), reward) for at, reward in enumerate(rewards))
    return Rollout(1, 0, 0, [1], [2] * len(turns), [-1.0] * len(turns), text, True, {"row": {}}, turns=turns, failure=failure)


def test_an_episode_is_worth_what_its_turns_were_and_a_failed_one_is_unscored():
    objective = CompletionObjective(SamplingSettings(environment={"guess-number": {}, "weight": 2.0, "as": "found"}), "grpo")
    found = objective.score([episode(None, 0.5, 0.25), episode(None, None), episode(0.5, failure="it has died")])
    assert found == [Score(1.5, {"found": 0.75}), Score(None, {"found": None}), Score(None, {"found": None}, failed=True)]
    objective.close()


def test_rewards_of_the_last_answer_and_the_environment_are_one_total():
    named = {"rewards": [{"length": {"at_least": 2, "at_most": 4, "falloff": 2, "unit": "characters"}}]}
    for weight, totals in ((1.0, [1.25, None, None]), (0.0, [1.0, 1.0, None])):
        objective = CompletionObjective(SamplingSettings(environment={"guess-number": {}, "weight": weight}, **named), "grpo")
        objective.open({})
        found = objective.score([episode(0.25, text="xyz"), episode(None, text="xyz"), episode(1.0, text="xyz", failure="it hangs")])
        objective.close()
        assert [one.reward for one in found] == totals
        assert [one.parts["guess-number"] for one in found] == [0.25, None, None]
        assert found[0].parts["length"] == 1.0


def test_an_environment_is_played_and_told_of_the_row_with_texts():
    objective = CompletionObjective(SamplingSettings(environment={"calculator": {}}), "grpo")
    group = objective.encode({"messages": [message("user", "2 + 2?")], "columns": {"answer": 4}}, PlainChat())
    objective.open({})
    opened = objective.reset([(group.facts, 1), (group.facts, 1), (group.facts, 1)])
    assert all(reply.messages == [{"role": "user", "content": "2 + 2?"}] and reply.tools for reply in opened.values())
    assert objective.reply({0: "It is 4."})[0] == Reply([], [], reward=1.0, done=True)
    assert objective.end([1])[1].reward == 0.0
    objective.fail({2: "there is no room"})
    assert objective._scores.environment.tally.to_json()["failed"] == 1
    objective.close()
    assert SamplingSettings().sampling().max_turns == 0
    assert SamplingSettings(environment="guess-number", max_turns=3).sampling().max_turns == 3


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({}, "TS-TRAIN-125"), ({"rewards": ["exakt"]}, "TS-PLUGIN-001"), ({"rewards": [{"exact": {"colunm": "a"}}]}, "TS-REWARD-002"),
        ({"environment": "guess-numbr"}, "TS-PLUGIN-001"), ({"environment": {"guess-number": {"highest": 1}}}, "TS-REWARD-012"),
        ({"environment": "guess-number", "environment_python": "/nowhere/python"}, "TS-REWARD-014"),
    ],
)  # fmt: skip
def test_a_plan_refuses_rewards_and_environments_that_are_not_there(settings, code):
    estimate = completion_estimator(lambda chosen: Asks(sampling=chosen.sampling()), SamplingSettings, "grpo")
    with pytest.raises(UserError) as caught:
        estimate(EstimateRequest(settings=settings))
    assert caught.value.code == code
    assert estimate(EstimateRequest(settings={"rewards": ["exact"], "environment": "guess-number"}))["completion"] == 256


PLAY = """
model: hf://made/up
steps:
  play: {train: {grpo: {environment: guess-number, environment_python: playground/bin/python}}, adapter: lora, data: prompts.jsonl}
"""


def test_the_interpreter_of_an_environment_is_looked_for_beside_the_pipeline(tmp_path, monkeypatch):
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    python = folder / "playground/bin/python"
    python.parent.mkdir(parents=True)
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (folder / "prompts.jsonl").write_text('{"prompt": "Guess."}\n' * 8)
    (folder / "tunesmith.yaml").write_text(PLAY)
    registry = load_registry(load_config(folder, home=tmp_path / "home"))
    with pytest.raises(TunesmithError, match="TS-REWARD-014") as caught:
        plan_on_a_laptop(folder / "tunesmith.yaml", registry)
    assert str(python) in str(caught.value)
    python.symlink_to(sys.executable)
    (step,) = (one for one in plan_on_a_laptop(folder / "tunesmith.yaml", registry).steps if one.name == "play")
    assert step.choices["objective"].settings["environment_python"] == str(python)


@pytest.mark.parametrize("objective", ["grpo", "online-dpo"])
def test_a_plan_refuses_a_group_of_one_which_has_nobody_to_be_compared_with(objective, tmp_path):
    (tmp_path / "prompts.jsonl").write_text('{"prompt": "Guess.", "answer": "4"}\n' * 8)
    settings = "{rewards: [exact], num_generations: 1}"
    (tmp_path / "tunesmith.yaml").write_text(
        f"model: hf://made/up\nsteps:\n  solve: {{train: {{{objective}: {settings}}}, adapter: lora, data: prompts.jsonl}}\n"
    )
    with pytest.raises(TunesmithError, match="TS-SPEC-020") as caught:
        plan_on_a_laptop(tmp_path / "tunesmith.yaml", load_registry(load_config(tmp_path, home=tmp_path / "home")))
    assert "num_generations` should be at least 2" in str(caught.value)
