"""What tunesmith-bitsandbytes brings: the quantizer `bitsandbytes`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_bitsandbytes.settings import BitsAndBytesSettings
from tunesmith_models.model_directory import SIZES

_RECOMMEND = {
    "order": 10, "rule": "4 bits of nf4 need no rows to calibrate on", "source": "Dettmers et al., QLoRA, arXiv:2305.14314",
}  # fmt: skip

#: what it is good for, by the setting `use` of `quantize`
_USE = {
    "training": {
        "order": 40, "rule": "adapters train on it (QLoRA), and its levels are those of normally distributed weights",
        "source": "Dettmers et al., QLoRA, arXiv:2305.14314",
    },
    "batch": {"order": 10, "rule": "it needs no rows; of the engines here transformers alone serves it", "source": "docs/formats.md"},
    "online": {"order": 5, "rule": "it needs no rows; of the engines here transformers alone serves it", "source": "docs/formats.md"},
    "edge": {"order": 2, "rule": "it needs Python with torch", "source": "docs/formats.md"},
}  # fmt: skip


@hookimpl
def quantizer():
    return Provider(
        "bitsandbytes",
        "4-bit (nf4, fp4) or 8-bit weights by bitsandbytes, without calibration",
        "tunesmith_bitsandbytes.quantizer:BitsAndBytes",
        settings=BitsAndBytesSettings,
        accepts=("model/hf",),
        produces=("model/bnb",),
        capabilities={"device.cpu": "full", "device.cuda": "unknown", "weights.full": "none"},
        facts={"calibration": False, "metrics": SIZES, "use": _USE, "recommend": _RECOMMEND},
        estimator="tunesmith_bitsandbytes.estimate:estimate",
        variants="tunesmith_bitsandbytes.estimate:variants",
    )
