"""Contract of kind ``reward``: says how good a completion is.

Providers are called with their settings object, as others are, in a process of their own beside the training, and are asked there one call
after the other. What they say depends on their arguments alone: not on earlier calls, not on the time, not on chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable


class Reward(Protocol):
    def score(self, prompt: str, completion: str, row: Mapping[str, Any]) -> float | None:
        """How good a completion is.

        Args:
            prompt: the text that the model was given, as it was given it (with the chat template's marks, where there is one).
            completion: the text that the model wrote, without the token that ends it. It may be empty, and it may be cut off.
            row: the row of the dataset that the prompt was made from, as it was read: JSON values by column. It is not changed.

        Returns:
            A finite number; higher is better. None where the reward can't tell: the completion is then unscored, which is not 0.

        Raises:
            Exception: the completion has failed to be scored, which is not 0 either. It is reported with its row and counted.
        """


@runtime_checkable
class ScoresBatches(Protocol):
    """What a reward may have beside `score`, where several completions at once cost it less than one after the other."""

    def score_batch(self, prompts: Sequence[str], completions: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Sequence[float | None]:
        """What `score` would say of each: as many answers as there are completions, in their order."""
