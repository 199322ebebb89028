"""What tunesmith-auto-gptq brings: the quantizer `auto-gptq`, and an exporter of that name that reads such checkpoints."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_auto_gptq.settings import AutoGptqSettings, DequantizerSettings
from tunesmith_models.model_directory import SIZES


@hookimpl
def quantizer():
    return Provider(
        "auto-gptq",
        "weights in 2 to 8 bits by GPTQ as AutoGPTQ 0.7.1 wrote them; `gptq` is the maintained way",
        "tunesmith_auto_gptq.quantizer:AutoGptq",
        settings=AutoGptqSettings,
        accepts=("model/hf",),
        produces=("model/gptq",),
        capabilities={"device.cpu": "partial", "device.cuda": "unknown"},
        facts={"calibration": True, "metrics": SIZES},
        estimator="tunesmith_auto_gptq.estimate:quantizing",
        priority=-10,
    )


@hookimpl
def exporter():
    return Provider(
        "auto-gptq",
        "a GPTQ checkpoint as a plain one again, unpacked by AutoGPTQ",
        "tunesmith_auto_gptq.dequantizer:Dequantizer",
        settings=DequantizerSettings,
        accepts=("model/gptq",),
        produces=("model/hf",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={"metrics": {"bytes": SIZES["bytes"]}},
        estimator="tunesmith_auto_gptq.estimate:reading",
    )
