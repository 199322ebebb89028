"""What tunesmith-gguf brings: the exporter `gguf`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_gguf.settings import GgufSettings
from tunesmith_models.model_directory import SIZES

_RECOMMEND = {
    "order": -1, "goals": {"edge": 30}, "settings": {"outtype": "q8_0"},
    "rule": "one file, in 8 bits, that programs without Python read on a phone, a board or a laptop",
    "source": "llama.cpp's documentation of GGUF",
}  # fmt: skip


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
        facts={"metrics": SIZES, "recommend": _RECOMMEND},
        estimator="tunesmith_gguf.estimate:estimate",
    )
