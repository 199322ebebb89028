"""What tunesmith-autoawq brings: the quantizer `autoawq`, and an exporter of that name that reads such checkpoints."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_autoawq.settings import AutoAwqSettings, DequantizerSettings
from tunesmith_models.model_directory import SIZES


@hookimpl
def quantizer():
    return Provider(
        "autoawq",
        "weights in 4 bits by AWQ as AutoAWQ 0.2.9 wrote them; `awq` is the maintained way",
        "tunesmith_autoawq.quantizer:AutoAwq",
        settings=AutoAwqSettings,
        accepts=("model/hf",),
        produces=("model/awq",),
        capabilities={"device.cpu": "partial", "device.cuda": "unknown"},
        facts={"calibration": True, "metrics": SIZES},
        estimator="tunesmith_autoawq.estimate:quantizing",
        priority=-10,
    )


@hookimpl
def exporter():
    return Provider(
        "autoawq",
        "an AWQ checkpoint as a plain one again, unpacked by AutoAWQ",
        "tunesmith_autoawq.dequantizer:Dequantizer",
        settings=DequantizerSettings,
        accepts=("model/awq",),
        produces=("model/hf",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={"metrics": {"bytes": SIZES["bytes"]}},
        estimator="tunesmith_autoawq.estimate:reading",
    )
