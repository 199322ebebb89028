"""What tunesmith-awq brings: the quantizer `awq`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_awq.settings import AwqSettings
from tunesmith_models.model_directory import SIZES


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
        facts={"calibration": True, "metrics": SIZES},
        estimator="tunesmith_awq.estimate:estimate",
    )
