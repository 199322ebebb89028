"""What every objective that learns from rewards of completions is, but for what it learns of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tunesmith.contracts import Artifact, UserError
from tunesmith_completions.scores import RewardScores
from tunesmith_completions.settings import SamplingSettings
from tunesmith_completions.signs import signs
from tunesmith_data.api import Row
from tunesmith_torch.api import ChatEncoder, Group, Rollout, Score

_FOR_REWARDS = ("reward_model",)  #: inputs of the step that rewards read


class CompletionObjective:
    """Encodes rows as their prompts, and scores completions with the rewards that the settings name; `learn` and the loss are its heir's.

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

    def open(self, inputs: Mapping[str, Artifact]) -> None:
        """
        Raises:
            UserError: TS-TRAIN-125 when no reward is named; TS-REWARD-008 for a `reward_model` that none of them reads; what the rewards
                say when they can't be made.
        """
        self._scores.open({name: str(inputs[name].path) for name in _FOR_REWARDS if name in inputs})

    def close(self) -> None:
        self._scores.close()

    def warnings(self, history: Sequence[Mapping[str, float]]) -> Sequence[str]:
        return signs(history)
