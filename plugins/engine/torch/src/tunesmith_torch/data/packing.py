"""Sequences laid end to end, without padding; what they have in common at their beginning is there once.

A causal model computes the same for the same beginning. So a system prompt that many rows share, or the prompt of a chosen and a rejected
answer, goes through the model once for all that continue it: the same values and, since gradients add up, the same gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from tunesmith_torch.api import LAST, Head, TokenSequence
from tunesmith_torch.api.objective import Medium

SHARED = 16  # tokens: a shorter common beginning is not worth a cut in the attention

Piece = tuple[int, int, int]  #: first token in the row, the one after the last, and the piece that it continues (-1: none)
Inputs = Mapping[str, torch.Tensor]  #: what the model is given of a sequence's images and sounds, beside its tokens


@dataclass(frozen=True)
class Wanted:
    """Which outputs of the model a forward pass gives; see `Asks`.

    Args:
        top: so many most likely tokens at each label.
        temperature: logits are divided by it before anything else is made of them.
    """

    log_probs: bool = True
    entropy: str = ""
    log_sum_sq: bool = False
    top: int = 0
    heads: tuple[Head, ...] = ()
    hidden: bool = False
    temperature: float = 1.0


LOG_PROBS = Wanted()


@dataclass(frozen=True)
class Packed:
    """What one forward pass reads.

    Args:
        tokens, positions: (tokens,) int64; positions count from 0 in each sequence.
        pieces: how the row is cut, in its order. A piece's tokens see those before them in it and in all that it continues.
        predictors: (labels,) int64: index of the token whose output predicts the label.
        targets: (labels,) int64: the trained tokens' ids.
        lengths: labels per sequence, in the order given; a sequence without labels and places takes no room.
        inputs: of each piece that continues none, with all that continue it, where a sequence has images or sounds; empty where none has.
        places: (places,) int64: index of the tokens whose last hidden states are wanted; `place_lengths` of them per sequence.
        candidates: (labels, k) int64: tokens whose log-probabilities are wanted beside the labels'.
        wanted: what is to be computed of it all.
    """

    tokens: torch.Tensor
    positions: torch.Tensor
    pieces: tuple[Piece, ...]
    predictors: torch.Tensor
    targets: torch.Tensor
    lengths: tuple[int, ...]
    inputs: tuple[Inputs, ...] = ()
    places: torch.Tensor | None = None
    place_lengths: tuple[int, ...] = ()
    candidates: torch.Tensor | None = None
    wanted: Wanted = LOG_PROBS

    def to(self, device: torch.device | str) -> Packed:
        moved = {
            name: value.to(device, non_blocking=True)
            for name in ("tokens", "positions", "predictors", "targets", "places", "candidates")
            if (value := getattr(self, name)) is not None
        }
        inputs = tuple({name: t.to(device, non_blocking=True) for name, t in own.items()} for own in self.inputs)
        return replace(self, **moved, inputs=inputs)

    @property
    def rows(self) -> torch.Tensor:
        """(labels + places,) int64: index of the tokens whose hidden states are wanted: those that predict labels, then the places."""
        return self.predictors if self.places is None else torch.cat([self.predictors, self.places])


def size(sequence: TokenSequence) -> int:
    """Tokens of `sequence` that have to go through the model: those before its last label, and those up to its last place. What follows
    can't change a label's loss."""
    last = len(sequence.labels) - 1
    while last > 0 and not sequence.labels[last]:
        last -= 1
    return max(last, max(places_of(sequence), default=-1) + 1, 0)


def places_of(sequence: TokenSequence) -> Sequence[int]:
    """Its places as indices of its tokens."""
    if tuple(sequence.places) == (LAST,):
        return [len(sequence.tokens) - 1] if sequence.tokens else []
    return sequence.places


def pack(
    sequences: Iterable[TokenSequence], device: torch.device | str = "cpu", *, share: bool = True, share_media: bool = False,
    inputs_of: Callable[[TokenSequence], Inputs] | None = None, wanted: Wanted = LOG_PROBS, shared: int = SHARED, whole: bool = False,
) -> Packed:  # fmt: skip
    """Lay `sequences` end to end.

    Args:
        share: common beginnings once; without it each sequence is one piece.
        share_media: also in a row with images or sounds, which are in a common beginning once, too.
        inputs_of: what the model is given of a sequence with media.
        shared: tokens that a common beginning has at least.
        whole: also the tokens after a sequence's last label and place.
    """
    given = list(sequences)
    shown = inputs_of is not None and any(sequence.media for sequence in given)
    sizes = [len(sequence.tokens) if whole else size(sequence) for sequence in given]
    row = _Row(
        [list(sequence.tokens[:end]) for sequence, end in zip(given, sizes, strict=True)], _meanings(given, sizes) if shown else None
    )
    row.lay(range(len(given)), 0, -1, shared if share and (share_media or not shown) else None)
    predictors: list[int] = []
    targets: list[int] = []
    lengths: list[int] = []
    places: list[list[int]] = []
    for number, sequence in enumerate(given):
        labelled = _labelled(sequence.labels, len(row.sequences[number]))
        at = row.at[number]
        predictors.extend(at[label - 1] for label in labelled)
        targets.extend(sequence.tokens[label] for label in labelled)
        lengths.append(len(labelled))
        places.append([at[place] for place in places_of(sequence)])
    as_tensor = (torch.tensor(values, dtype=torch.long, device=device) for values in (row.tokens, row.positions, predictors, targets))
    flat, where, predicting, label_ids = as_tensor
    packed = Packed(flat, where, tuple(row.pieces), predicting, label_ids, tuple(lengths), wanted=wanted)
    if wanted.heads or wanted.hidden:
        flat_places = torch.tensor([place for own in places for place in own], dtype=torch.long, device=device)
        packed = replace(packed, places=flat_places, place_lengths=tuple(map(len, places)))
    if not shown:
        return packed
    assert inputs_of is not None
    return replace(packed, inputs=tuple(inputs_of(tree) if tree.media else {} for tree in _trees(row, given, sizes))).to(device)


def trees(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """A row's pieces, those together that continue one another: each counts from its own first token, and its own first piece."""
    found: list[list[Piece]] = []
    starts: list[tuple[int, int]] = []
    for number, (start, end, parent) in enumerate(pieces):
        if parent < 0:
            found.append([])
            starts.append((start, number))
        first, root = starts[-1]
        found[-1].append((start - first, end - first, parent - root if parent >= 0 else -1))
    return found


def _meanings(given: Sequence[TokenSequence], sizes: Sequence[int]) -> list[list[int]]:
    """The sequences' tokens, a number below -1 in the place of one that stands for a medium: the same only for the same medium."""
    known: dict[str, int] = {}
    found = []
    for sequence, end in zip(given, sizes, strict=True):
        own = list(sequence.tokens[:end])
        for medium in sequence.media:
            number = -2 - known.setdefault(repr(sorted(medium.part.items())), len(known))
            own[medium.start : medium.stop] = [number] * len(own[medium.start : medium.stop])
        found.append(own)
    return found


def _trees(row: _Row, given: Sequence[TokenSequence], sizes: Sequence[int]) -> list[TokenSequence]:
    """Each of the row's trees as one sequence with its media: one that several sequences have in common is there once."""
    media = {
        row.at[number][medium.start]: Medium(medium.part, row.at[number][medium.start], row.at[number][medium.stop - 1] + 1)
        for number, sequence in enumerate(given) for medium in sequence.media if medium.stop <= sizes[number]
    }  # fmt: skip
    found, start = [], 0
    for tree in trees(row.pieces):
        end = start + tree[-1][1]
        own = tuple(Medium(media[at].part, at - start, media[at].stop - start) for at in sorted(media) if start <= at < end)
        found.append(TokenSequence(row.tokens[start:end], [False] * (end - start), own, (LAST,)))
        start = end
    return found


class _Row:
    """A row as it grows. `at`: for each sequence where in the row its tokens are.

    Args:
        meanings: what is compared to find what sequences have in common; left out: their tokens.
    """

    def __init__(self, sequences: list[list[int]], meanings: list[list[int]] | None = None) -> None:
        self.sequences, self.meanings = sequences, meanings or sequences
        self.tokens: list[int] = []
        self.positions: list[int] = []
        self.pieces: list[Piece] = []
        self.at: list[list[int]] = [[] for _ in sequences]

    def lay(self, chosen: Iterable[int], depth: int, parent: int, shared: int | None) -> None:
        """Lay what of the sequences `chosen` follows their first `depth` tokens, which they have in common and which end in `parent`."""
        for family in _families(self.meanings, chosen, depth, shared):
            common = _common([self.meanings[number] for number in family])
            if common == depth:
                continue
            start = len(self.tokens)
            self.tokens += self.sequences[family[0]][depth:common]
            self.positions += range(depth, common)
            self.pieces.append((start, len(self.tokens), parent))
            for number in family:
                self.at[number] += range(start, len(self.tokens))
            if len(family) > 1:
                self.lay(family, common, len(self.pieces) - 1, shared)


def _families(sequences: list[list[int]], chosen: Iterable[int], depth: int, shared: int | None) -> list[list[int]]:
    """`chosen`, grouped by what has at least `shared` tokens after `depth` in common; in the order of their first members."""
    if shared is None:
        return [[number] for number in chosen]
    families: dict[tuple[int, ...], list[int]] = {}
    for number in chosen:
        beginning = tuple(sequences[number][depth : depth + shared])
        families.setdefault(beginning if len(beginning) == shared else (-1 - number,), []).append(number)
    return list(families.values())


def _common(sequences: Sequence[Sequence[int]]) -> int:
    """Tokens that all of them begin with."""
    first, last = min(sequences), max(sequences)
    return next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def nothing(device: torch.device | str, wanted: Wanted = LOG_PROBS, candidates: int = 0) -> Packed:
    """A micro-batch of no labels, for a rank that has run out of groups while others have some left."""
    one, none = torch.zeros(1, dtype=torch.long, device=device), torch.zeros(0, dtype=torch.long, device=device)
    places = none if wanted.heads or wanted.hidden else None
    tokens = none.new_zeros((0, candidates)) if candidates else None
    return Packed(one, one, ((0, 1, -1),), none, none, (), places=places, candidates=tokens, wanted=wanted)


def _labelled(labels: Sequence[bool], last: int) -> list[int]:
    return [at for at in range(1, min(last + 1, len(labels))) if labels[at]]
