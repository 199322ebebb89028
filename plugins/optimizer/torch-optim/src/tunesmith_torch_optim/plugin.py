"""What this plugin brings: the optimizers `adamw`, `adafactor`, `muon` and `sgd`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_torch_optim.settings import AdafactorSettings, AdamWSettings, MuonSettings, SGDSettings


@hookimpl
def optimizer() -> Sequence[Provider]:
    return [
        Provider(
            name="adamw",
            summary="a mean and a mean square of each gradient: the usual one",
            target="tunesmith_torch_optim.adamw:AdamW",
            settings=AdamWSettings,
            estimator="tunesmith_torch_optim.estimate:adamw",
            priority=10,
        ),
        Provider(
            name="adafactor",
            summary="mean squares by row and column: next to no memory",
            target="tunesmith_torch_optim.adafactor:Adafactor",
            settings=AdafactorSettings,
            needs=(Need("strategy", "gradients.whole", "a matrix's rows and columns are averaged over the whole of it"),),
            estimator="tunesmith_torch_optim.estimate:adafactor",
        ),
        Provider(
            name="muon",
            summary="matrices step along their orthogonalised momentum, the rest by AdamW",
            target="tunesmith_torch_optim.muon:Muon",
            settings=MuonSettings,
            needs=(Need("strategy", "gradients.whole", "orthogonalising a piece of a matrix is not orthogonalising it"),),
            estimator="tunesmith_torch_optim.estimate:muon",
        ),
        Provider(
            name="sgd",
            summary="a step against the gradient, with momentum",
            target="tunesmith_torch_optim.sgd:SGD",
            settings=SGDSettings,
            estimator="tunesmith_torch_optim.estimate:sgd",
        ),
    ]
