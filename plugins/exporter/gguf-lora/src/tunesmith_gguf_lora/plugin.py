"""What tunesmith-gguf-lora brings: the exporter `gguf-lora`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_gguf_lora.settings import GgufLoraSettings


@hookimpl
def exporter():
    return Provider(
        "gguf-lora",
        "a LoRA adapter as a GGUF file that llama.cpp, and what is built on it, puts on a model when it starts",
        "tunesmith_gguf_lora.exporter:GgufLoraExporter",
        settings=GgufLoraSettings,
        accepts=("adapter/peft",),
        produces=("adapter/gguf",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={
            "metrics": {"bytes": {"better": "lower", "summary": "of the weights' files"}},
            "not_compared": "llama.cpp alone puts such an adapter on a model",
        },
        estimator="tunesmith_gguf_lora.estimate:estimate",
    )
