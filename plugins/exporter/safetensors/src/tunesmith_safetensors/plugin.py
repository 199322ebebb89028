"""What tunesmith-safetensors brings: the exporter `safetensors`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_models.model_directory import SIZES
from tunesmith_safetensors.settings import SafetensorsSettings


@hookimpl
def exporter():
    return Provider(
        "safetensors",
        "the same checkpoint in shards of another size, or with weights of another dtype",
        "tunesmith_safetensors.exporter:SafetensorsExporter",
        settings=SafetensorsSettings,
        accepts=("model/hf",),
        produces=("model/hf",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={"metrics": {**SIZES, "shards": {"summary": "files that the weights lie in"}}},
        estimator="tunesmith_safetensors.estimate:estimate",
    )
