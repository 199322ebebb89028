"""What this plugin brings: the optimizers `galore` and `apollo`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_galore.settings import ApolloSettings, GaloreSettings

_NEEDS = (
    Need("strategy", "gradients.whole", "the directions of a matrix's gradient can't be told from a rank's piece of it"),
    Need("adapter", "trains.weights", "what is narrow already is not projected, so that nothing would be saved"),
)


@hookimpl
def optimizer() -> Sequence[Provider]:
    return [
        Provider(
            name="galore",
            summary="AdamW in the few directions where a matrix's gradients are largest: full training in little memory",
            target="tunesmith_galore.galore:Galore",
            settings=GaloreSettings,
            needs=_NEEDS,
            estimator="tunesmith_galore.estimate:galore",
        ),
        Provider(
            name="apollo",
            summary="the gradient's own direction, with AdamW's step sizes as seen in a few random directions",
            target="tunesmith_galore.apollo:Apollo",
            settings=ApolloSettings,
            needs=_NEEDS,
            estimator="tunesmith_galore.estimate:apollo",
        ),
    ]
