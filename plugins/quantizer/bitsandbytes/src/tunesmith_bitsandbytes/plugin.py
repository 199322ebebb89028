"""What tunesmith-bitsandbytes brings: the quantizer `bitsandbytes`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_bitsandbytes.settings import BitsAndBytesSettings
from tunesmith_models.model_directory import SIZES


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
        facts={"calibration": False, "metrics": SIZES},
        estimator="tunesmith_bitsandbytes.estimate:estimate",
    )
