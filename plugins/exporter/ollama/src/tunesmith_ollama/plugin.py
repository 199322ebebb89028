"""What tunesmith-ollama brings: the exporter `ollama`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_ollama.settings import OllamaSettings


@hookimpl
def exporter():
    return Provider(
        "ollama",
        "a folder for `ollama create`: a GGUF file, and a Modelfile with the model's chat template, stops and parameters",
        "tunesmith_ollama.exporter:OllamaExporter",
        settings=OllamaSettings,
        accepts=("model/gguf",),
        produces=("model/ollama",),
        capabilities={"lossless": "full", "device.cpu": "full"},
        facts={
            "metrics": {"bytes": {"better": "lower", "summary": "of the weights' files"}},
            "not_compared": "the GGUF file is the parent's, byte for byte",
        },
        estimator="tunesmith_ollama.estimate:estimate",
    )
