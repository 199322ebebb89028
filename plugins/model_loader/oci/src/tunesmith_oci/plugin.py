"""What tunesmith-oci brings: the model loader `oci`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_oci.settings import OCISettings


@hookimpl
def model_loader():
    return Provider(
        "oci",
        "a model from a container registry: an artifact of ModelPack, or of files as oras pushes them",
        "tunesmith_oci.loader:OCILoader",
        settings=OCISettings,
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
        facts={"schemes": ["oci"], "publisher": "tunesmith_oci.publisher:OCIPublisher"},
        secrets=("TUNESMITH_OCI_TOKEN",),
    )
