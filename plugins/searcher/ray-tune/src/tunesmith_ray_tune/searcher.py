"""The searcher: a search algorithm of Ray Tune says what to try, one of its schedulers when to give up.

Ray Tune's objects have a state of their own, which a kill would lose. So they are made anew at each call and told the search's journal: the
algorithm is given the trials that are known as its `points_to_evaluate`, suggests them one after the other, hears what came of each, and is
then asked for one more. Only constructors and methods that Ray documents are called; no cluster is started, since none of this is work for
one. All values are costs: less is better, whichever way a metric goes.
"""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith_ray_tune.schedulers import gives_up
from tunesmith_ray_tune.search_algorithms import suggested
from tunesmith_ray_tune.settings import RayTuneSettings
from tunesmith_tune.api import Proposal, Search, Trial


class RayTune:
    def __init__(self, settings: RayTuneSettings) -> None:
        self.settings = settings

    def propose(self, search: Search, history: Sequence[Trial]) -> Proposal:
        return Proposal(suggested(self.settings, search, history))

    def prune(self, search: Search, history: Sequence[Trial], trial: Trial) -> bool:
        return self.settings.scheduler != "fifo" and gives_up(self.settings, search, history, trial)
