"""What this plugin brings: the command `tune`, the kind `searcher`, and the searchers `random`, `grid` and `halving`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Kind, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_tune import TUNE
from tunesmith_tune.searchers.settings import GridSettings, HalvingSettings


@hookimpl
def cli_commands() -> Sequence[tuple[str, str, str]]:
    return [("tune", TUNE, "tunesmith_tune.commands.tune:main")]


@hookimpl
def kind() -> Kind:
    return Kind(
        name="searcher",
        summary="says what a search over a pipeline's settings tries next",
        contract="tunesmith_tune.api.search:Searcher",
        checks="tunesmith_tune.conformance",
        scaffold="scaffold/searcher",
        example='Provider("downhill", "goes where it gets better", "acme_downhill.searcher:Downhill")',
    )


@hookimpl
def searcher() -> Sequence[Provider]:
    return [
        Provider(
            "random",
            "values at random, whatever came of those before",
            "tunesmith_tune.searchers.random_search:RandomSearch",
            facts={"several_goals": True},
        ),
        Provider(
            "grid",
            "every combination of some values",
            "tunesmith_tune.searchers.grid_search:GridSearch",
            settings=GridSettings,
            facts={"several_goals": True},
        ),
        Provider(
            "halving",
            "many trials begin, and the better ones go on from their checkpoints",
            "tunesmith_tune.searchers.successive_halving:SuccessiveHalving",
            settings=HalvingSettings,
        ),
    ]
