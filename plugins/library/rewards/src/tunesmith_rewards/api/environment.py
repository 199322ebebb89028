"""Contract of kind ``rl_environment``: a task of several turns, in which something answers the model and says what its answers are worth.

Providers are called with their settings object, as others are, in a process of their own beside the training. One object plays one episode
at a time, and is reset for the next; several objects play at once, and are asked one after the other. What one says depends on its
settings, the row, the seed and the answers so far alone, not on the time, not on chance, not on other episodes: an episode that was broken
off is played again from its answers, and a run that was killed comes to the same adapter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

Message = Mapping[str, Any]


@dataclass(frozen=True)
class Opening:
    """How an episode begins.

    Args:
        messages: the conversation that the model answers first: mappings with `role` and `content`, a text; the last is not the
            assistant's.
        tools: what the model may call, as chat templates take it: ``{"type": "function", "function": {"name", "description",
            "parameters"}}``. How a call is written is the template's affair; `tool_calls` reads what models write.
    """

    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Observation:
    """What comes of an answer.

    Args:
        messages: what the model reads next, mostly of the role `tool` or `user`; none where `done`.
        reward: a finite number that is added to the episode's reward; None: there is nothing to say yet. An episode of which nothing was
            said until its end is unscored, which is not 0.
        done: the episode is over.
    """

    messages: Sequence[Message] = ()
    reward: float | None = None
    done: bool = False


class Environment(Protocol):
    def reset(self, row: Mapping[str, Any], seed: int) -> Opening:
        """A new episode begins, whatever became of the one before.

        Args:
            row: the row of the dataset, as it was read: JSON values by column, and its conversation as `messages`. It is not changed.
            seed: what the episode draws follows from it. All episodes of a prompt in a step have the same: they are compared, and have to
                begin alike.

        Raises:
            Exception: the episode has failed: it is unscored, reported with its row and counted.
        """

    def step(self, answer: str) -> Observation:
        """
        Args:
            answer: the text that the model wrote, without the token that ends it. It may be empty, and it may be cut off.

        Raises:
            Exception: as `reset`. That the model wrote nonsense is no failure: tell it so, or give it little.
        """


@runtime_checkable
class EndsEarly(Protocol):
    """What an environment may have beside these, where an episode that is broken off is worth something."""

    def end(self) -> float | None:
        """The episode is over though it was not `done`: the model may write no more turns or tokens. What is added to its reward."""


@runtime_checkable
class Closes(Protocol):
    """What one may have that holds something open."""

    def close(self) -> None:
        """It is not asked again."""
