"""What tunesmith-auto-round brings: the quantizer `auto-round`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_auto_round.settings import AutoRoundSettings
from tunesmith_models.model_directory import SIZES

_RECOMMEND = {
    "order": 12, "rule": "rounding that is trained on rows loses least at 2 to 4 bits, and takes longest",
    "source": "Cheng et al., Optimize Weight Rounding via Signed Gradient Descent, arXiv:2309.05516",
}  # fmt: skip

#: what it is good for, by the setting `use` of `quantize`
_USE = {
    "batch": {"order": 25, "rule": "its rounding is trained: little is lost, and it takes longest", "source": "arXiv:2309.05516"},
    "online": {"order": 20, "rule": "its rounding is trained: little is lost, and it takes longest", "source": "arXiv:2309.05516"},
    "edge": {"order": 1, "rule": "engines for GPUs and servers alone read it", "source": "docs/formats.md"},
    "training": {"order": 1, "rule": "no adapter here trains on it", "source": "docs/adapters.md"},
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
        facts={"calibration": True, "metrics": SIZES, "use": _USE, "recommend": _RECOMMEND},
        estimator="tunesmith_auto_round.estimate:estimate",
        variants="tunesmith_auto_round.estimate:variants",
    )
