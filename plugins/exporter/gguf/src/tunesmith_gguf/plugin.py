"""What tunesmith-gguf brings: the exporter `gguf`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_gguf.settings import GgufSettings
from tunesmith_models.model_directory import SIZES


@hookimpl
def exporter():
    return Provider(
        "gguf",
        "one GGUF file, as llama.cpp and what is built on it read it",
        "tunesmith_gguf.exporter:GgufExporter",
        settings=GgufSettings,
        accepts=("model/hf",),
        produces=("model/gguf",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={"metrics": SIZES},
        estimator="tunesmith_gguf.estimate:estimate",
    )
