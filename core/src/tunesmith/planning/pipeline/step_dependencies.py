"""Which step needs which, and an order in which they can run."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence


def cycles(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """A cycle through every knot of steps that wait for each other: ``(a, b, a)`` where a needs b and b needs a.

    Args:
        edges: step -> steps that it needs.
    """
    found: list[tuple[str, ...]] = []
    state: dict[str, int] = {}  # 1: on the trail, 2: done
    for start in edges:
        trail: list[tuple[str, int]] = [(start, 0)] if start not in state else []
        while trail:  # not recursive: a chain may be longer than Python's stack
            name, index = trail[-1]
            state[name] = 1
            needed = edges.get(name, ())
            if index == len(needed):
                state[name] = 2
                trail.pop()
                continue
            trail[-1] = (name, index + 1)
            other = needed[index]
            if state.get(other) == 1:
                names = [n for n, _ in trail]
                found.append((*names[names.index(other) :], other))
            elif other not in state:
                trail.append((other, 0))
    return found


def order(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """The steps, each after those that it needs, otherwise as they stand. Those in or behind a cycle are left out."""
    position = {name: index for index, name in enumerate(edges)}
    waits = {name: {n for n in needed if n in position} for name, needed in edges.items()}
    followers: dict[str, list[str]] = {name: [] for name in edges}
    for name, needed in waits.items():
        for other in needed:
            followers[other].append(name)
    ready = [position[name] for name, needed in waits.items() if not needed]
    heapq.heapify(ready)
    names, done = list(edges), []
    while ready:
        name = names[heapq.heappop(ready)]
        done.append(name)
        for follower in followers[name]:
            waits[follower].discard(name)
            if not waits[follower]:
                heapq.heappush(ready, position[follower])
    return done
