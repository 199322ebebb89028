"""What tunesmith-onnx brings: the exporter `onnx`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_models.model_directory import SIZES
from tunesmith_onnx.settings import OnnxSettings


@hookimpl
def exporter():
    return Provider(
        "onnx",
        "an ONNX model of standard operators, with keys and values as inputs and outputs: for any runtime of ONNX",
        "tunesmith_onnx.exporter:OnnxExporter",
        settings=OnnxSettings,
        accepts=("model/hf",),
        produces=("model/onnx",),
        capabilities={"lossless": "full", "device.cpu": "full"},
        facts={
            "metrics": SIZES,
            "log_probs": "tunesmith_onnx.runtime:log_probs",
            "layouts": {"model/onnx": {"files": ["onnx/model.onnx"], "also": ["onnx/model.onnx_data*"]}},
        },
        estimator="tunesmith_onnx.estimate:estimate",
    )
