"""Contract of kind ``searcher``: says what a search tries next.

A searcher is a function of the search and of what is written down of its trials, and of nothing else: it keeps no state between two calls,
or only what it can make anew from the history. A search that was killed asks a new searcher with the same history, and has to be told the
same. It draws from ``Random(f"{search.seed}:{number}")`` or the like, never from the clock or a global generator.

It is asked in the process of the command `tune`; its module imports what is heavy in its methods. Where several trials run at once, it sees
of those that were begun last that they are running and not what comes of them, so that a search is the same whichever ends first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from tunesmith_tune.api.space import Parameter, Value

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Goal:
    """A metric that trials are judged by.

    Args:
        name: as the user wrote it: ``score.exact_match``.
    """

    name: str
    better: Better

    def cost(self, value: float) -> float:
        """The value so that less is better."""
        return value if self.better == "lower" else -value


@dataclass(frozen=True)
class Search:
    """What is searched.

    Args:
        goals: at least one; of several, none counts more than another, and the result is the trials that no other beats in all of them.
        followed: what trials measure on their way (``tune.validation_loss``), by which they may be given up or paused; None: nothing.
    """

    space: tuple[Parameter, ...]
    goals: tuple[Goal, ...]
    seed: int = 0
    followed: Goal | None = None


@dataclass(frozen=True)
class Point:
    """The followed metric after a share of a trial, 0 to 1."""

    share: float
    value: float


@dataclass(frozen=True)
class Trial:
    """A trial as far as it is known.

    Args:
        number: from 0, in the order in which trials were begun.
        values: by the name of the parameter.
        state: ``running``; ``paused`` at the share that was asked for; ``done``; ``pruned``: given up as too bad; ``failed``: it came to no
            end, or its pipeline can't be planned.
        scores: of the goals, in their order; empty unless it is done.
        points: of the followed metric, in their order.
    """

    number: int
    values: Mapping[str, Value]
    state: Literal["running", "paused", "done", "pruned", "failed"]
    scores: tuple[float, ...] = ()
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What to do next: begin a trial with `values`, or go on with the paused `trial` of that number.

    Args:
        until: share of the trial after which it pauses, at the first point of the followed metric from there on; 1: it goes to its end.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    trial: int | None = None
    until: float = 1.0


class Searcher(Protocol):
    def propose(self, search: Search, history: Sequence[Trial]) -> Proposal | None:
        """What to do after all of `history`, which is in the order of the trials' numbers; a trial that begins gets the next number. Values
        for every parameter, each within its range and of its type (an ``int`` for whole numbers, a ``float`` for others, a choice as it was
        written). None: nothing as long as no running trial ends; with none running, the search is over."""


@runtime_checkable
class Prunes(Protocol):
    """A searcher that gives trials up on their way."""

    def prune(self, search: Search, history: Sequence[Trial], trial: Trial) -> bool:
        """Whether to give `trial` up after the newest of its points. `history`: what was known when it was begun. Asked at each
        point before the end, and never without ``search.followed``."""
