"""What tunesmith-gguf brings: the exporter and the quantizer `gguf`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_gguf.settings import GgufQuantizerSettings, GgufSettings
from tunesmith_models.model_directory import SIZES

_LOG_PROBS = "tunesmith_gguf.llamacpp:log_probs"
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
        facts={"metrics": SIZES, "recommend": _RECOMMEND, "log_probs": _LOG_PROBS},
        estimator="tunesmith_gguf.estimate:estimate",
    )


#: what the quantizer is good for, by the setting `use` of `quantize`
_USE = {
    "edge": {
        "order": 40, "rule": "one file that llama.cpp reads on laptops, phones and boards, without Python",
        "source": "llama.cpp's documentation of GGUF",
    },
    "online": {"order": 10, "rule": "llama.cpp serves it, also on CPUs; engines for many requests do not", "source": "docs/formats.md"},
    "batch": {"order": 5, "rule": "llama.cpp serves it, also on CPUs; engines for many requests do not", "source": "docs/formats.md"},
    "training": {"order": 1, "rule": "no adapter here trains on it", "source": "docs/adapters.md"},
}  # fmt: skip


@hookimpl
def quantizer():
    return Provider(
        "gguf",
        "one GGUF file in 3 to 8 bits for llama.cpp, K-quants or older types, by ggml; with rows each column counts as much as it is used",
        "tunesmith_gguf.quantizer:GgufQuantizer",
        settings=GgufQuantizerSettings,
        accepts=("model/hf",),
        produces=("model/gguf",),
        capabilities={"device.cpu": "full"},
        facts={"calibration": False, "metrics": SIZES, "use": _USE, "log_probs": _LOG_PROBS},
        estimator="tunesmith_gguf.estimate:estimate_quantized",
        variants="tunesmith_gguf.estimate:variants",
    )
