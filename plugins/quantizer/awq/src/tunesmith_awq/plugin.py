"""What tunesmith-awq brings: the quantizer `awq`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_awq.settings import AwqSettings
from tunesmith_models.model_directory import SIZES

_RECOMMEND = {
    "order": 15, "rule": "4 bits, with the channels that matter scaled up on rows, lose little",
    "source": "Lin et al., AWQ, arXiv:2306.00978",
}  # fmt: skip

#: what it is good for, by the setting `use` of `quantize`
_USE = {
    "online": {
        "order": 40, "rule": "nobody knows the prompts beforehand, and it leans least on the rows that it is calibrated on",
        "source": "Lin et al., AWQ, arXiv:2306.00978",
    },
    "batch": {
        "order": 30, "rule": "it leans little on the rows that it is calibrated on, which are known of batch work",
        "source": "Lin et al., AWQ, arXiv:2306.00978",
    },
    "edge": {"order": 1, "rule": "engines for GPUs and servers alone read it", "source": "docs/formats.md"},
    "training": {"order": 1, "rule": "no adapter here trains on it", "source": "docs/adapters.md"},
}  # fmt: skip


@hookimpl
def quantizer():
    return Provider(
        "awq",
        "weights in 4 or 8 bits, scaled by what they read on rows (AWQ), by LLM Compressor",
        "tunesmith_awq.quantizer:Awq",
        settings=AwqSettings,
        accepts=("model/hf",),
        produces=("model/compressed-tensors",),
        capabilities={"device.cpu": "full", "device.cuda": "unknown"},
        facts={"calibration": True, "metrics": SIZES, "use": _USE, "recommend": _RECOMMEND},
        estimator="tunesmith_awq.estimate:estimate",
        variants="tunesmith_awq.estimate:variants",
    )
