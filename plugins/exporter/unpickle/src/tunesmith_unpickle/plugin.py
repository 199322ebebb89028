"""What tunesmith-unpickle brings: the exporter `unpickle`, and the format `model/pickle`, by which all loaders know what it reads."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_models.model_directory import SIZES
from tunesmith_unpickle.settings import UnpickleSettings

NOT_RUN = "its parent is a pickle, which is not loaded a second time; its tensors were compared by a second reader"


@hookimpl
def exporter():
    return Provider(
        "unpickle",
        "a pickled checkpoint as safetensors: scanned, read in a process without a network, and compared",
        "tunesmith_unpickle.exporter:Unpickler",
        settings=UnpickleSettings,
        accepts=("model/pickle",),
        produces=("model/hf",),
        capabilities={"lossless": "full", "device.cpu": "full"},
        facts={
            "metrics": {**SIZES, "tensors": {"summary": "tensors that were converted"}},
            "not_compared": NOT_RUN,
            "layouts": {"model/pickle": {"files": ["pytorch_model*.bin"]}},
        },
        estimator="tunesmith_unpickle.estimate:estimate",
    )
