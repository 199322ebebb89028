"""What tunesmith-bitsandbytes brings: the quantizer `bitsandbytes`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_bitsandbytes.settings import BitsAndBytesSettings
from tunesmith_models.model_directory import SIZES

_RECOMMEND = {
    "order": 10, "rule": "4 bits of nf4 need no rows to calibrate on", "source": "Dettmers et al., QLoRA, arXiv:2305.14314",
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
        facts={"calibration": False, "metrics": SIZES, "recommend": _RECOMMEND},
        estimator="tunesmith_bitsandbytes.estimate:estimate",
    )
