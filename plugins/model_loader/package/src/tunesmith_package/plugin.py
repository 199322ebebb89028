"""What tunesmith-package brings: the model loader `package`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl


@hookimpl
def model_loader():
    return Provider(
        "package",
        "a model shipped in a Python package, installed or from the package index",
        "tunesmith_package.loader:PackageLoader",
        produces=(
            "model/gguf",
            "model/hf",
            "adapter/peft",
            "model/bnb",
            "model/gptq",
            "model/awq",
            "model/compressed-tensors",
            "model/hf+*",
        ),
        facts={"schemes": ["package"], "models": "models.json", "reach": "tunesmith_package.pip:index_address"},
        secrets=("UV_INDEX_*_PASSWORD",),  # of the index that pip or uv downloads from
    )
