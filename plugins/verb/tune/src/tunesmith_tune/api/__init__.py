"""What searchers of other plugins are made of: all of `tunesmith_tune` that they may import. Standard library only."""

from tunesmith_tune.api.search import Goal, Point, Proposal, Prunes, Search, Searcher, Trial
from tunesmith_tune.api.space import Parameter, Value

#: Raised when a name goes away or takes its arguments otherwise. New names leave it as it is.
API = 1

__all__ = ["API", "Goal", "Parameter", "Point", "Proposal", "Prunes", "Search", "Searcher", "Trial", "Value"]
