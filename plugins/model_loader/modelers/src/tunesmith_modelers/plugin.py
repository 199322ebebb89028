"""What tunesmith-modelers brings: the model loader and the dataset source `modelers`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_modelers.settings import ModelersSettings


@hookimpl
def model_loader():
    return Provider(
        "modelers",
        "a model from Modelers, or from a server that speaks its API",
        "tunesmith_modelers.loader:ModelersLoader",
        settings=ModelersSettings,
        produces=(
            "model/hf",
            "model/gguf",
            "adapter/peft",
            "model/bnb",
            "model/gptq",
            "model/awq",
            "model/compressed-tensors",
            "model/hf+*",
        ),
        facts={
            "schemes": ["modelers"],
            "elsewhere": r"https?://(?:www\.)?modelers\.cn/models/([A-Za-z0-9][\w.-]*/[\w.-]+)(?:/.*)?",
            "reach": "tunesmith_modelers.environment_variables:endpoint",
        },
        secrets=("TUNESMITH_MODELERS_TOKEN",),
    )


@hookimpl
def dataset_source():
    return Provider(
        "modelers",
        "a dataset from Modelers, or from a server that speaks its API",
        "tunesmith_modelers.dataset_source:ModelersDatasets",
        facts={"schemes": ["modelers"]},
        secrets=("TUNESMITH_MODELERS_TOKEN",),
    )
