"""Random search (J. Bergstra and Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tunesmith_tune.api import Proposal, Search, Trial, Value


class RandomSearch:
    """Every trial anew, whatever came of those before."""

    def propose(self, search: Search, history: Sequence[Trial]) -> Proposal:
        return Proposal(drawn(search, len(history)))


def drawn(search: Search, number: int) -> dict[str, Value]:
    """Values for the trial of a number: the same whenever they are asked for."""
    random = Random(f"{search.seed}:{number}")
    return {parameter.name: parameter.draw(random) for parameter in search.space}
