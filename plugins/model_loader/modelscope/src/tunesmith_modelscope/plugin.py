"""What tunesmith-modelscope brings: the model loader and the dataset source `modelscope`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_modelscope.settings import ModelScopeSettings


@hookimpl
def model_loader():
    return Provider(
        "modelscope",
        "a model from ModelScope, or from a server that speaks its API",
        "tunesmith_modelscope.loader:ModelScopeLoader",
        settings=ModelScopeSettings,
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
            "schemes": ["modelscope"],
            "elsewhere": r"https?://(?:www\.)?modelscope\.(?:cn|ai)/models/([A-Za-z0-9][\w.-]*/[\w.-]+)(?:/.*)?",
            "publisher": "tunesmith_modelscope.publisher:ModelScopePublisher",
            "reach": "tunesmith_modelscope.environment_variables:endpoint",
        },
        secrets=("MODELSCOPE_API_TOKEN",),
    )


@hookimpl
def dataset_source():
    return Provider(
        "modelscope",
        "a dataset from ModelScope, or from a server that speaks its API",
        "tunesmith_modelscope.dataset_source:ModelScopeDatasets",
        facts={"schemes": ["modelscope"]},
        secrets=("MODELSCOPE_API_TOKEN",),
    )
