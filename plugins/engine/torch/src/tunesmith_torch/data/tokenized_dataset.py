"""Groups of token sequences in flat files, read where they are asked for: a data set of any size takes no memory of its own.

A directory holds the tokens and labels of all sequences end to end, where each sequence and each group begins, and what each group comes
to. What is rare in a group (facts, media) is a line of JSON.
"""

from __future__ import annotations

import dataclasses
import json
import mmap
import os
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tunesmith_torch.api import LAST, Group, Objective, TokenSequence
from tunesmith_torch.api.objective import Medium
from tunesmith_torch.data.packing import places_of, size

#: file -> its elements (see `array`): four bytes a token, one a label, the rest once per sequence or group
_FLAT = {
    "tokens": "I",
    "labels": "B",
    "sequences": "q",
    "groups": "q",
    "sizes": "q",
    "longest": "q",
    "labelled": "q",
    "highest": "q",
    "weights": "d",
}
_RARE, _PLACES = "rare.jsonl", "rare"
#: in the byte beside each token, the latter two beside the first one of a sequence
LABEL, PLACE, PLACE_AT_END, MEASURED = 1, 2, 4, 8
_BUFFER = 2**16  # elements kept before they are written


class TokenizedDatasetWriter:
    """Writes groups into `directory`, one after the other. `close` when all are there."""

    def __init__(self, directory: Path, objective: Objective) -> None:
        directory.mkdir(parents=True)
        self.objective = objective
        self._files = {name: open(directory / name, "wb") for name in (*_FLAT, _PLACES)}  # noqa: SIM115  (closed by `close`)
        self._rare = open(directory / _RARE, "wb")  # noqa: SIM115
        self._held = {name: array(code) for name, code in (_FLAT | {_PLACES: "q"}).items()}
        self._tokens = self._sequences = 0
        self._note("sequences", 0)
        self._note("groups", 0)

    def add(self, group: Group) -> None:
        everything = [*group.sequences, *group.measured]
        for number, sequence in enumerate(everything):
            self._held["tokens"].extend(sequence.tokens)
            self._held["labels"].extend(_marks(sequence, measured=number >= len(group.sequences)))
            self._tokens += len(sequence.tokens)
            self._note("sequences", self._tokens)
        self._sequences += len(everything)
        self._note("groups", self._sequences)
        self._note("sizes", group_size(group))
        self._note("longest", max((len(sequence.tokens) for sequence in group.sequences), default=0))
        self._note("labelled", sum(sum(map(bool, sequence.labels)) + len(places_of(sequence)) for sequence in group.sequences))
        self._note("highest", max((max(sequence.tokens, default=-1) for sequence in everything), default=-1))
        self._note("weights", self.objective.weight(group))
        self._note(_PLACES, self._extra(group))
        if len(self._held["tokens"]) > _BUFFER:
            self._flush()

    def close(self) -> None:
        self._flush()
        for file in (*self._files.values(), self._rare):
            file.flush()
            os.fsync(file.fileno())
            file.close()

    def _note(self, name: str, value: float) -> None:
        self._held[name].append(value)

    def _extra(self, group: Group) -> int:
        """Where the group's line of JSON is; -1 for none."""
        media = [[dataclasses.astuple(medium) for medium in sequence.media] for sequence in (*group.sequences, *group.measured)]
        if not group.facts and not any(media):
            return -1
        place = self._rare.tell()
        self._rare.write(json.dumps({"facts": dict(group.facts), "media": media}).encode() + b"\n")
        return place

    def _flush(self) -> None:
        for name, held in self._held.items():
            held.tofile(self._files[name])
            del held[:]


class TokenizedDataset(Sequence[Group]):
    """The groups in a directory that a `Writer` filled.

    `total`: tokens of all. By group, `sizes`: tokens that have to run through the model; `longest`: tokens of its longest sequence;
    `labelled`: tokens that are trained on; `highest`: the highest id of a token; `weights`: see `Objective.weight`.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        flat = {name: mapped(directory / name, code) for name, code in (_FLAT | {_PLACES: "q"}).items()}
        self._tokens, self._labels, self.total = flat["tokens"], flat["labels"], len(flat["tokens"])
        self._sequences, self._groups, self._places = flat["sequences"], flat["groups"], flat[_PLACES]
        self.sizes, self.longest, self.labelled = (flat[name] for name in ("sizes", "longest", "labelled"))
        self.highest, self.weights = flat["highest"], flat["weights"]

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        rare = self._rare(at)
        first, last = self._groups[at], self._groups[at + 1]
        media = rare.get("media") or [()] * (last - first)
        found: tuple[list[TokenSequence], list[TokenSequence]] = ([], [])
        for number in range(last - first):
            sequence, measured = self._sequence(first + number, media[number])
            found[measured].append(sequence)
        return Group(tuple(found[False]), rare.get("facts", {}), tuple(found[True]))

    def __iter__(self) -> Iterator[Group]:
        return (self[at] for at in range(len(self)))

    def facts(self, chosen: Iterable[int]) -> Iterator[Mapping[str, Any]]:
        """Of those groups, without a look at their tokens."""
        with open(self.directory / _RARE, "rb") as lines:
            for at in chosen:
                if self._places[at] < 0:
                    yield {}
                    continue
                lines.seek(self._places[at])
                yield json.loads(lines.readline()).get("facts", {})

    def piece(self, at: int, begin: int, length: int) -> Group:
        """So many tokens of a group of one sequence, from one on; the first of them has no label."""
        first = self._groups[at]
        low, end = self._sequences[first] + begin, self._sequences[first + 1]
        high = min(low + length, end)
        labels = [bool(mark & LABEL) for mark in self._labels[low:high]]
        return Group((TokenSequence(self._tokens[low:high].tolist(), [False, *labels[1:]]),))

    def _sequence(self, at: int, media: Sequence[Sequence[Any]]) -> tuple[TokenSequence, bool]:
        """The sequence, and whether it is only measured."""
        start, stop = self._sequences[at], self._sequences[at + 1]
        marks = self._labels[start:stop].tolist()
        labels = [bool(mark & LABEL) for mark in marks]
        first = marks[0] if marks else 0
        places = (LAST,) if first & PLACE_AT_END else tuple(number for number, mark in enumerate(marks) if mark & PLACE)
        sequence = TokenSequence(self._tokens[start:stop].tolist(), labels, tuple(Medium(*medium) for medium in media), places)
        return sequence, bool(first & MEASURED)

    def _rare(self, at: int) -> dict[str, Any]:
        if self._places[at] < 0:
            return {}
        with open(self.directory / _RARE, "rb") as lines:
            lines.seek(self._places[at])
            found: dict[str, Any] = json.loads(lines.readline())
        return found


def group_size(group: Group) -> int:
    """Tokens of a group that have to run through the model."""
    return sum(size(sequence) for sequence in group.sequences)


def _marks(sequence: TokenSequence, *, measured: bool) -> list[int]:
    marks = [LABEL if label else 0 for label in sequence.labels]
    at_end = tuple(sequence.places) == (LAST,)
    for place in () if at_end else sequence.places:
        marks[place] |= PLACE
    if marks:
        marks[0] |= PLACE_AT_END * at_end | MEASURED * measured
    return marks


def mapped(path: Path, code: str) -> memoryview:
    """A file's numbers (see `array`), read where they are asked for."""
    with open(path, "rb") as file:
        if not os.path.getsize(path):
            return memoryview(b"").cast(code)
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)).cast(code)
