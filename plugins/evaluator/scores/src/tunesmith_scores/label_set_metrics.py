"""Metrics of texts that may have several classes at once, as scikit-learn defines them with ``zero_division=0``. Standard library only."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from tunesmith_scores.class_metrics import f1


@dataclass(frozen=True)
class LabelSetMetrics:
    """Args:
    wanted, found: of each text the numbers of the classes that are right, and of those that were found.
    classes: how many there are.
    """

    wanted: tuple[Set[int], ...]
    found: tuple[Set[int], ...]
    classes: int

    @property
    def accuracy(self) -> float:
        """Share of the texts whose classes are all found, and no others."""
        return sum(one == other for one, other in zip(self.wanted, self.found, strict=True)) / len(self.wanted)

    @property
    def matrices(self) -> list[list[list[int]]]:
        """For each class by itself: without and with it, in rows what is right, in columns what was found."""
        return [[[len(self.wanted) - wanted - found + hits, found - hits], [wanted - hits, hits]] for hits, wanted, found in self._counts]

    @property
    def micro_f1(self) -> float:
        """Of all decisions together."""
        return f1(*map(sum, zip(*self._counts, strict=True)))

    @property
    def macro_f1(self) -> float:
        """The mean over the classes that are right or were found at least once; 0 where none is."""
        scores = [f1(*counts) for counts in self._counts if any(counts)]
        return sum(scores) / len(scores) if scores else 0.0

    @property
    def lowest_f1(self) -> float:
        """Of the class that does worst among those that are right at least once; 0 where none is."""
        return min((f1(*counts) for counts in self._counts if counts[1]), default=0.0)

    @property
    def _counts(self) -> list[tuple[int, int, int]]:
        """Of each class: hits, how often it is right, how often it was found."""
        pairs = list(zip(self.wanted, self.found, strict=True))
        return [
            (
                sum(at in one and at in other for one, other in pairs),
                sum(at in one for one, _ in pairs),
                sum(at in other for _, other in pairs),
            )
            for at in range(self.classes)
        ]
