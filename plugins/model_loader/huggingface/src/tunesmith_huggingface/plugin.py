"""What tunesmith-huggingface brings: the model loader and the dataset source `huggingface`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_huggingface.settings import HuggingFaceSettings


@hookimpl
def model_loader():
    return Provider(
        "huggingface",
        "a model from the Hugging Face hub, or from a server that speaks its API",
        "tunesmith_huggingface.loader:HuggingFaceLoader",
        settings=HuggingFaceSettings,
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
            "schemes": ["hf"],
            "models": "models.json",
            "elsewhere": r"(?:https?://huggingface\.co/)?([A-Za-z0-9][\w.-]*/[\w.-]+)",
            "publisher": "tunesmith_huggingface.publisher:HuggingFacePublisher",
            "reach": "tunesmith_huggingface.environment_variables:endpoint",
        },
        secrets=("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
    )


@hookimpl
def dataset_source():
    return Provider(
        "huggingface",
        "a dataset from the Hugging Face hub, or from a server that speaks its API",
        "tunesmith_huggingface.dataset_source:HuggingFaceDatasets",
        facts={"schemes": ["hf"]},
        secrets=("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
    )
