"""What tunesmith-auto-round brings: the quantizer `auto-round`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_auto_round.settings import AutoRoundSettings
from tunesmith_models.model_directory import SIZES

_RECOMMEND = {
    "order": 12, "rule": "rounding that is trained on rows loses least at 2 to 4 bits, and takes longest",
    "source": "Cheng et al., Optimize Weight Rounding via Signed Gradient Descent, arXiv:2309.05516",
}  # fmt: skip


@hookimpl
def quantizer():
    return Provider(
        "auto-round",
        "weights in 2 to 8 bits whose rounding is trained on rows (SignRound), written as GPTQ checkpoints are, by AutoRound",
        "tunesmith_auto_round.quantizer:AutoRounding",
        settings=AutoRoundSettings,
        accepts=("model/hf",),
        produces=("model/gptq",),
        capabilities={"device.cpu": "full", "device.cuda": "unknown"},
        facts={"calibration": True, "metrics": SIZES, "recommend": _RECOMMEND},
        estimator="tunesmith_auto_round.estimate:estimate",
    )
