"""What tunesmith-gptq brings: the quantizer `gptq`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_gptq.settings import GptqSettings
from tunesmith_models.model_directory import SIZES

LOSS = {"better": "lower", "summary": "error of the matrices on the calibration rows, as the library gives it, on average"}

_RECOMMEND = {
    "order": 20, "rule": "calibrated on the rows that the model is for, 4 bits lose little",
    "source": "Frantar et al., GPTQ, arXiv:2210.17323",
}  # fmt: skip

#: what it is good for, by the setting `use` of `quantize`
_USE = {
    "batch": {
        "order": 40, "rule": "the prompts of batch work are known beforehand, and it fits the rows that it is calibrated on",
        "source": "Frantar et al., GPTQ, arXiv:2210.17323",
    },
    "online": {
        "order": 30, "rule": "it fits the rows that it is calibrated on, and prompts that are unlike them less than AWQ does",
        "source": "Lin et al., AWQ, arXiv:2306.00978",
    },
    "edge": {"order": 1, "rule": "engines for GPUs and servers alone read it", "source": "docs/formats.md"},
    "training": {"order": 1, "rule": "no adapter here trains on it", "source": "docs/adapters.md"},
}  # fmt: skip


@hookimpl
def quantizer():
    return Provider(
        "gptq",
        "weights in 2 to 8 bits by GPTQ, calibrated on rows, by GPTQModel",
        "tunesmith_gptq.quantizer:Gptq",
        settings=GptqSettings,
        accepts=("model/hf",),
        produces=("model/gptq",),
        capabilities={"device.cpu": "full", "device.cuda": "unknown"},
        facts={"calibration": True, "use": _USE, "metrics": {**SIZES, "loss": LOSS}, "recommend": _RECOMMEND},
        estimator="tunesmith_gptq.estimate:estimate",
        variants="tunesmith_gptq.estimate:variants",
    )
