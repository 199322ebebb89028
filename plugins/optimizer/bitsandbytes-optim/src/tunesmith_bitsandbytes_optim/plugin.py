"""What this plugin brings: the optimizers `adamw-8bit` and `lion-8bit`."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.contracts import Need, Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_bitsandbytes_optim.settings import AdamW8Settings, Lion8Settings

_WHOLE = Need("strategy", "gradients.whole", "its 8-bit state has a scale for each block of a whole parameter")


@hookimpl
def optimizer() -> Sequence[Provider]:
    return [
        Provider(
            name="adamw-8bit",
            summary="AdamW whose two means are kept in 8 bits: a quarter of the memory",
            target="tunesmith_bitsandbytes_optim.optimizers:AdamW8",
            settings=AdamW8Settings,
            capabilities={"device.cpu": "full", "device.cuda": "unknown"},
            needs=(_WHOLE,),
            estimator="tunesmith_bitsandbytes_optim.estimate:adamw",
        ),
        Provider(
            name="lion-8bit",
            summary="Lion whose momentum is kept in 8 bits: an eighth of AdamW's memory",
            target="tunesmith_bitsandbytes_optim.optimizers:Lion8",
            settings=Lion8Settings,
            capabilities={"device.cpu": "full", "device.cuda": "unknown"},
            needs=(_WHOLE,),
            estimator="tunesmith_bitsandbytes_optim.estimate:lion",
        ),
    ]
