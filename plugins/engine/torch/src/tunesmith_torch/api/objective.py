"""Contract of kind ``objective``: rows -> token sequences with label masks -> a loss over per-token log-probabilities.

``accepts``: dataset formats (``dataset/chat``, ``dataset/preference``). No loop, no parallelism, no model in it.
Facts: ``metrics`` (see `Provider`): what validation adds to a step's result, ``validation_`` before the name that `LossSum` gives it; empty
for an objective that reports nothing but its loss.
Needs: one that uses the reference declares ``Need("adapter", "reference", ...)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tunesmith_data.api import Message, Part, Row

Tensor = Any  #: torch.Tensor; the contracts import no torch


@dataclass(frozen=True)
class Medium:
    """An image, audio or video of a sequence: the tokens from `start` up to `stop` stand for it, and have no labels."""

    part: Part
    start: int
    stop: int


@dataclass(frozen=True)
class TokenSequence:
    """One sequence to run through the model.

    Args:
        tokens: token ids.
        labels: as long as `tokens`: True where the token's log-probability, given those before it, is wanted. Never the first.
        media: what some of the tokens stand for, in their order.
    """

    tokens: Sequence[int]
    labels: Sequence[bool]
    media: Sequence[Medium] = ()


@dataclass(frozen=True)
class Group:
    """Sequences that belong together in one micro-batch: one for supervised tuning, (chosen, rejected) for a pair."""

    sequences: tuple[TokenSequence, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)


class ChatEncoder(Protocol):
    """The tokenizer's chat template as the engine offers it to objectives."""

    def encode(self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]] = (), *, since: int = 0) -> TokenSequence:
        """The conversation with labels on the assistant's turns: all that the model would write of each, its end-of-turn token included.

        The tokens are those of the whole conversation as the template writes it, also where that writes an earlier turn otherwise
        than it would alone (without its thoughts, say). Turns of weight 0 have no labels.

        Args:
            since: label only turns from this message on: what comes before is context (a preference row's prompt).
        """


@dataclass(frozen=True)
class LogProbs:
    """What `loss` is given for a micro-batch.

    Args:
        policy: (labels,) float32 with gradient: log p of every trained token, sequence after sequence.
        reference: the same from the model before training, no gradient; None unless `needs_reference`.
        lengths: labels per sequence, in the order of `groups` and of the sequences in each.
        groups: the micro-batch's groups.
    """

    policy: Tensor
    reference: Tensor | None
    lengths: Sequence[int]
    groups: Sequence[Group]


@dataclass(frozen=True)
class LossSum:
    """A micro-batch's loss and metrics as sums over its groups, so that accumulation and replicas only add.

    The engine divides by the weight of the whole batch (all micro-batches, all ranks): the loss of a batch does not depend on how
    it was cut. A metric is divided by the same weight.
    """

    total: Tensor
    metrics: Mapping[str, Tensor] = field(default_factory=dict)


class Objective(Protocol):
    needs_reference: bool

    def encode(self, row: Row, chat: ChatEncoder) -> Group:
        """The row's sequences. Raises UserError (TS-DATA-...) for a row that it can't use."""

    def weight(self, group: Group) -> float:
        """The group's share of a batch: its label tokens, or 1 for a pair."""

    def loss(self, batch: LogProbs) -> LossSum:
        """The loss of a micro-batch, summed."""
