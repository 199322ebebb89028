"""Every combination of some values, the last parameter changing fastest."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from tunesmith_tune.api import Proposal, Search, Trial
from tunesmith_tune.searchers.settings import GridSettings


class GridSearch:
    def __init__(self, settings: GridSettings) -> None:
        self.settings = settings

    def propose(self, search: Search, history: Sequence[Trial]) -> Proposal | None:
        every = itertools.product(*(parameter.spread(self.settings.points) for parameter in search.space))
        here = next(itertools.islice(every, len(history), None), None)
        if here is None:
            return None
        return Proposal({parameter.name: value for parameter, value in zip(search.space, here, strict=True)})
