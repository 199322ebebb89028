"""EVA (Paischer et al., arXiv:2410.07170): A begins in the directions in which a layer's inputs vary most, and layers whose inputs vary
in more directions get more of the rank that all have together.

The directions are found portion by portion, by incremental principal components (Ross et al., 2008), so that no more than one pass's
inputs of one layer are ever kept. Layers that read the same tensor (queries, keys, values) share them. A layer is done when its
directions no longer turn from one pass to the next. Every token of the data counts, labelled or not.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

STEADY = 0.99  # cosine between a direction before and after a pass, from which it counts as found
SEED = 42  # of the random projection


@dataclass
class Components:
    """The `count` leading principal directions of rows that come in portions."""

    count: int
    directions: torch.Tensor | None = None  # (count, features) float64, orthonormal
    strengths: torch.Tensor | None = None  # (count,) singular values
    steady: torch.Tensor | None = None  # (count,) bool: did not turn with the last portion
    seen: int = 0
    mean: Any = None
    squares: float = 0.0  # sum of squared distances from the mean
    _waiting: list[torch.Tensor] = field(default_factory=list)

    @property
    def shares(self) -> torch.Tensor:
        """(count,): share of the variance that each direction explains."""
        return self.strengths.square() / self.squares

    def add(self, rows: torch.Tensor) -> None:
        """(rows, features). Fewer rows than directions wait for more."""
        self._waiting.append(rows.double())
        if sum(map(len, self._waiting)) < self.count:
            return
        rows = torch.cat(self._waiting)
        self._waiting.clear()
        mean = rows.mean(0)
        centred = rows - mean
        squares = float(centred.square().sum())
        if self.directions is not None:
            apart = self.mean - mean
            weight = self.seen * len(rows) / (self.seen + len(rows))
            known = self.strengths[:, None] * self.directions
            squares += self.squares + weight * float(apart.square().sum())
            mean = (self.seen * self.mean + len(rows) * mean) / (self.seen + len(rows))
            centred = torch.cat([known, centred, math.sqrt(weight) * apart[None]])
        before, (self.strengths, self.directions) = self.directions, _leading(centred, self.count)
        self.seen, self.mean, self.squares = self.seen + len(rows), mean, squares
        if before is not None:
            self.steady = torch.cosine_similarity(self.directions, before) >= STEADY

    def found(self, rank: int) -> bool:
        return self.steady is not None and bool(self.steady[:rank].all())


def starts(
    layers: Mapping[str, torch.nn.Module], passes: Iterable[Callable[[], None]], *, r: int, spread: float
) -> dict[str, torch.Tensor]:  # fmt: skip
    """By layer, A (rank, in) to begin with; together they have `r` rows for each layer. Layers that saw too few tokens are left out.

    Args:
        passes: run until all directions are found, or to their end.
        spread: a layer gets at most `spread` times `r`.
    """
    most = {name: min(round(r * spread), layer.in_features) for name, layer in layers.items()}
    sources: dict[str, Components] = {}
    ranks: dict[str, int] = {}
    for number, run in enumerate(passes):
        wanted = {name for name in layers if not (name in sources and sources[name].found(ranks.get(name, most[name])))}
        if not wanted:
            break
        hooks = _discover(layers, most, sources) if number == 0 else _feed(layers, sources, wanted)
        try:
            run()
        finally:
            for hook in hooks:
                hook.remove()
        ranks = distributed({name: s for name, s in sources.items() if s.directions is not None}, r)
    return {name: sources[name].directions[:rank].float() for name, rank in ranks.items()}


def distributed(sources: Mapping[str, Components], r: int) -> dict[str, int]:
    """Ranks by layer: of all layers' directions, the ``r`` times as many that explain most of their layer's variance."""
    shares = [(float(share), name) for name, source in sources.items() for share in source.shares]
    best = sorted(shares, key=lambda pair: -pair[0])[: r * len(sources)]
    counts = dict.fromkeys(sources, 0)
    for _, name in best:
        counts[name] += 1
    return counts


def _discover(layers: Mapping[str, torch.nn.Module], most: Mapping[str, int], sources: dict[str, Components]) -> list[Any]:
    """Hooks that learn which layers read one tensor: those get one source."""
    reading: list[tuple[weakref.ref[torch.Tensor], str]] = []

    def hook(name: str) -> Callable[..., None]:
        def look(_module: Any, given: tuple[torch.Tensor, ...], _output: Any) -> None:
            first = next((other for reference, other in reading if reference() is given[0]), name)
            reading.append((weakref.ref(given[0]), name))
            if name not in sources:
                sources[name] = Components(most[name]) if first == name else sources[first]
            if first == name:
                sources[name].add(given[0].flatten(0, -2))

        return look

    return [layer.register_forward_hook(hook(name)) for name, layer in layers.items()]


def _feed(layers: Mapping[str, torch.nn.Module], sources: Mapping[str, Components], wanted: set[str]) -> list[Any]:
    """Hooks that give each source that still looks for directions its rows, from the first layer that reads them."""
    readers: dict[int, str] = {}
    unfinished = {id(sources[name]) for name in wanted if name in sources}
    for name in layers:
        if name in sources and id(sources[name]) in unfinished:
            readers.setdefault(id(sources[name]), name)

    def hook(source: Components) -> Callable[..., None]:
        return lambda _module, given, _output: source.add(given[0].flatten(0, -2))

    return [layers[name].register_forward_hook(hook(sources[name])) for name in readers.values()]


def _leading(rows: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest singular values (count,) and their right singular vectors (count, features), each with its largest number positive."""
    with torch.random.fork_rng(devices=[rows.device] if rows.is_cuda else []):
        torch.manual_seed(SEED)
        _, strengths, right = torch.svd_lowrank(rows, q=min(2 * count, *rows.shape), niter=4)
    directions = right.t()[:count]
    signs = directions.gather(1, directions.abs().argmax(1, keepdim=True)).sign()
    return strengths[:count], (directions * signs).contiguous()
