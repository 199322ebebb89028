"""A reward model that is computed in the reward's own process, by the code that it was trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith.contracts import Artifact, UserError
from tunesmith_data.api import message
from tunesmith_torch.api.scoring import batches, conversation_sequence, load_scoring_model

TOKENS = 4096  # in one forward pass


class LocalModel:
    """
    Raises:
        UserError: TS-REWARD-007 where the folder holds no reward model; those of `load_scoring_model`.
    """

    def __init__(self, path: str, max_length: int) -> None:
        if not (Path(path) / "config.json").is_file():
            raise UserError("TS-REWARD-007", f"{path} holds no reward model", why="There is no config.json.",
                            fix="Name the folder of a merged model that `train: reward` made.")  # fmt: skip
        self._model = load_scoring_model(Artifact("model/hf", Path(path)), dtype="float32")
        if self._model.role != "reward":
            raise UserError("TS-REWARD-007", f"{path} holds no reward model", why=f"Its role is `{self._model.role or 'none'}`.",
                            fix="Name the folder of a merged model that `train: reward` made.")  # fmt: skip
        self._longest = min(max_length, self._model.positions or max_length)

    def scores(self, conversations: Sequence[Sequence[Mapping[str, Any]]]) -> list[float | None]:
        """None for a conversation that is too long."""
        every = [
            conversation_sequence(self._model.chat, [message(turn["role"], turn["content"]) for turn in turns]) for turns in conversations
        ]
        found: list[float | None] = [None] * len(every)
        fitting = [at for at, one in enumerate(every) if len(one.tokens) <= self._longest]
        for batch in batches([len(every[at].tokens) for at in fitting], TOKENS):
            places = [fitting[at] for at in batch]
            for at, scores in zip(places, self._model.scores([every[at] for at in places]), strict=True):
                found[at] = float(scores[0, 0])
        return found
