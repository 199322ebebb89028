"""Log-probabilities, kept as they come: a step that was killed computes only the batches that are missing.

Whole batches are kept, not rows: a batch that is cut in another way rounds otherwise, and the resumed step is to end with the same numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tunesmith_torch.api import TokenSequence

FILE = "log_probs.jsonl"  #: in the step's work folder
Scores = list[list[float] | None]


class BatchScores:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / FILE
        self._known = dict(_read(self._path))

    def __len__(self) -> int:
        """Batches that are there from before."""
        return len(self._known)

    def get(self, batch: Sequence[Sequence[TokenSequence]]) -> Scores | None:
        """None where it was not computed yet, or not in this cut."""
        return self._known.get(_name(batch))

    def add(self, batch: Sequence[Sequence[TokenSequence]], scores: Scores) -> None:
        with open(self._path, "a", encoding="utf-8") as lines:
            # the first line break ends a line that a kill has torn
            lines.write(("\n" if lines.tell() else "") + json.dumps({"batch": _name(batch), "scores": scores}) + "\n")

    def forget(self) -> None:
        """What was kept is in the result now."""
        self._path.unlink(missing_ok=True)


def _name(batch: Sequence[Sequence[TokenSequence]]) -> str:
    told = [[(list(one.tokens), list(map(bool, one.labels))) for one in some] for some in batch]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _read(path: Path) -> list[tuple[str, Scores]]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            told = json.loads(line)
            found.append((str(told["batch"]), list(told["scores"])))
        except (ValueError, TypeError, KeyError):
            continue  # empty, or torn by a kill
    return found
