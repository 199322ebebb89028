"""What tunesmith-compressed-tensors brings: the quantizer `compressed-tensors`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_compressed_tensors.settings import CompressedTensorsSettings
from tunesmith_models.model_directory import SIZES

_RECOMMEND = {
    "order": 10, "rule": "weights and activations in 8 bits lose nearly nothing, and devices multiply them faster",
    "source": "Kurtic et al., Give Me BF16 or Give Me Death?, arXiv:2411.02355",
}  # fmt: skip

#: what it is good for, by the setting `use` of `quantize`
_USE = {
    "batch": {
        "order": 35, "rule": "products in int8 are quick where the device has them, in twice the memory of 4 bits",
        "source": "Kurtic et al., Give Me BF16 or Give Me Death, arXiv:2411.02355",
    },
    "online": {
        "order": 25, "rule": "weights alone, rounded by GPTQ: as GPTQ's, in a format that fewer engines read",
        "source": "docs/formats.md",
    },
    "edge": {"order": 1, "rule": "engines for GPUs and servers alone read it", "source": "docs/formats.md"},
    "training": {"order": 1, "rule": "no adapter here trains on it", "source": "docs/adapters.md"},
}  # fmt: skip


@hookimpl
def quantizer():
    return Provider(
        "compressed-tensors",
        "weights in 4 or 8 bits, activations and the KV cache in 8: W4A16, W8A16, W8A8, FP8, by LLM Compressor",
        "tunesmith_compressed_tensors.quantizer:CompressedTensors",
        settings=CompressedTensorsSettings,
        accepts=("model/hf",),
        produces=("model/compressed-tensors",),
        capabilities={"device.cpu": "full", "device.cuda": "unknown"},
        facts={"calibration": True, "metrics": SIZES, "use": _USE, "recommend": _RECOMMEND},
        estimator="tunesmith_compressed_tensors.estimate:estimate",
        variants="tunesmith_compressed_tensors.estimate:variants",
    )
