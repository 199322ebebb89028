"""What tunesmith-dequantize brings: the exporter `dequantize`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_dequantize.settings import DequantizeSettings

SAME_READER = "the GGUF file would be read by the code that has read it"


@hookimpl
def exporter():
    return Provider(
        "dequantize",
        "a GGUF model as a Hugging Face checkpoint that can be trained, merged and quantized anew",
        "tunesmith_dequantize.exporter:Dequantizer",
        settings=DequantizeSettings,
        accepts=("model/gguf",),
        produces=("model/hf",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={"metrics": {"parameters": {"summary": "numbers in the model's matrices"}}, "not_compared": SAME_READER},
        estimator="tunesmith_dequantize.estimate:estimate",
    )
