"""What every objective that learns from rewards of completions is, but for what it learns of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_completions.scores import RewardScores
from tunesmith_completions.settings import SamplingSettings
from tunesmith_completions.signs import signs
from tunesmith_data.api import Row, text_of
from tunesmith_torch.api import ChatEncoder, Group, Reply, Rollout, Score

_FOR_REWARDS = ("reward_model",)  #: inputs of the step that rewards read


class CompletionObjective:
    """Encodes rows as their prompts, and scores completions with the rewards that the settings name, or has an environment reply to them;
    `learn` and the loss are its heir's.

    Args:
        name: of the provider, for messages.
    """

    def __init__(self, settings: SamplingSettings, name: str) -> None:
        self._scores = RewardScores(settings, name)

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The prompt, with the row's columns for the rewards.

        Raises:
            UserError: TS-TRAIN-124 for a row without a turn to answer.
        """
        messages = list(row["messages"])
        if not messages or messages[-1]["role"] == "assistant":
            raise UserError(
                "TS-TRAIN-124", "the row has no turn for the model to answer", why="Completions are sampled of a prompt.",
                fix="Give the row a `prompt`, or messages that end with the user's.",
            )  # fmt: skip
        prompt = chat.encode_prompt(messages, row.get("tools") or ())
        return Group((prompt,), {"row": {**row.get("columns", {}), "messages": messages}})

    def score(self, rollouts: Sequence[Rollout]) -> Sequence[Score]:
        return self._scores(rollouts)

    def reset(self, tasks: Sequence[tuple[Mapping[str, Any], int]]) -> Mapping[int, Reply]:
        begun = self._scores.environment.reset([(_row(facts), seed) for facts, seed in tasks])
        return {number: _reply(said) for number, said in begun.items()}

    def reply(self, answers: Mapping[int, str]) -> Mapping[int, Reply]:
        return {number: _reply(said) for number, said in self._scores.environment.step(answers).items()}

    def end(self, episodes: Sequence[int]) -> Mapping[int, Reply]:
        return {number: _reply(said) for number, said in self._scores.environment.end(episodes).items()}

    def fail(self, reasons: Mapping[int, str]) -> None:
        self._scores.environment.fail(reasons)

    def open(self, inputs: Mapping[str, Artifact]) -> None:
        """
        Raises:
            UserError: TS-TRAIN-125 when no reward and no environment is named; TS-REWARD-008 for a `reward_model` that none of the
                rewards reads; what rewards and environment say when they can't be made.
        """
        self._scores.open({name: str(inputs[name].path) for name in _FOR_REWARDS if name in inputs})

    def close(self) -> None:
        self._scores.close()

    def warnings(self, history: Sequence[Mapping[str, float]]) -> Sequence[str]:
        return signs(history)


def _row(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As environments are given it: contents are texts."""
    return {**facts["row"], "messages": [{**one, "content": text_of(one)} for one in facts["row"]["messages"]]}


def _reply(said: Any) -> Reply:
    return Reply(said.messages, said.tools, said.reward, said.done, said.failure)
