"""Metrics of classes, as scikit-learn defines them with ``zero_division=0``. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ClassMetrics:
    """Args:
    matrix: confusion: rows are the classes that are right, columns those that were found.
    """

    matrix: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, wanted: Sequence[int], found: Sequence[int], classes: int) -> ClassMetrics:
        matrix = [[0] * classes for _ in range(classes)]
        for one, other in zip(wanted, found, strict=True):
            matrix[one][other] += 1
        return cls(tuple(map(tuple, matrix)))

    @property
    def count(self) -> int:
        return sum(map(sum, self.matrix))

    @property
    def accuracy(self) -> float:
        return sum(row[at] for at, row in enumerate(self.matrix)) / self.count

    def precision_recall_f1(self, at: int) -> tuple[float, float, float]:
        """Of one class."""
        hits, wanted, found = self.matrix[at][at], self.support(at), self._found(at)
        return (*(hits / total if total else 0.0 for total in (found, wanted)), f1(hits, wanted, found))  # type: ignore[return-value]

    def support(self, at: int) -> int:
        """How often it is the right one."""
        return sum(self.matrix[at])

    @property
    def present(self) -> list[int]:
        """The classes that are right or were found at least once: those that means are over."""
        return [at for at in range(len(self.matrix)) if self.support(at) or self._found(at)]

    @property
    def macro_f1(self) -> float:
        return sum(self.precision_recall_f1(at)[2] for at in self.present) / len(self.present)

    @property
    def lowest_f1(self) -> float:
        """Of the class that does worst among those that are right at least once."""
        return min(self.precision_recall_f1(at)[2] for at in self.present if self.support(at))

    def _found(self, at: int) -> int:
        return sum(row[at] for row in self.matrix)

    def told(self, names: Sequence[str]) -> str:
        """A line for a log: each class that rows have, with its figures."""
        rows = []
        for at in self.present:
            precision, recall, score = self.precision_recall_f1(at)
            rows.append(f"{names[at]}: precision {precision:.3f}, recall {recall:.3f}, F1 {score:.3f} of {self.support(at)}")
        return "; ".join(rows)


def f1(hits: int, wanted: int, found: int) -> float:
    """Harmonic mean of precision and recall; 0 where both are."""
    return 2 * hits / (wanted + found) if wanted + found else 0.0
