"""What tunesmith-file brings: the model loader `file`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl

MODEL_FORMATS = (
    "model/hf", "model/gguf", "adapter/peft", "model/bnb", "model/gptq", "model/awq", "model/compressed-tensors", "model/hf+*",
)  # fmt: skip


@hookimpl
def model_loader():
    return Provider(
        "file",
        "a model in a directory or file on this machine",
        "tunesmith_file.loader:FileLoader",
        produces=MODEL_FORMATS,
        facts={"schemes": ["file"], "volatile": True},  # the files may change between two runs
    )
