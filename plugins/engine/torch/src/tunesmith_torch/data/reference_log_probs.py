"""The reference's log-probabilities of rows, in files: read where a row is asked for.

A directory holds those of all labels end to end, and where each row's begin: first those of the sequences that train, then of the measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith_torch.api import Group, TokenSequence
from tunesmith_torch.data.tokenized_dataset import mapped

VALUES, STARTS, RECIPE = "log_probs", "starts", "recipe.json"  #: float32; int64; what they were computed of, written last


@dataclass(frozen=True)
class ReferencedGroup(Group):
    """A group with the reference's log-probabilities: of the labels of its `sequences`, and of those of `measured`."""

    reference: Sequence[float] = ()
    measured_reference: Sequence[float] = ()


class ReferenceLogProbs:
    """Those in a directory, which may be there later only."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._values: Any = None

    @property
    def there(self) -> bool:
        return (self.directory / RECIPE).exists()

    def of(self, group: Group, slot: int) -> ReferencedGroup:
        """The group in its place among all rows, with its log-probabilities."""
        if self._values is None:
            self._values, self._starts = mapped(self.directory / VALUES, "f"), mapped(self.directory / STARTS, "q")
        values, own = self._values[self._starts[slot] : self._starts[slot + 1]], labels_of(group.sequences)
        return ReferencedGroup(group.sequences, group.facts, group.measured, values[:own], values[own:])


def labels_of(sequences: Sequence[TokenSequence]) -> int:
    """How many there are."""
    return sum(sum(map(bool, sequence.labels[1:])) for sequence in sequences)
