"""What tunesmith-onnxruntime-genai brings: the exporter `onnxruntime-genai`."""

from tunesmith.contracts.provider import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_models.model_directory import SIZES
from tunesmith_onnxruntime_genai.settings import OnnxRuntimeGenAISettings


@hookimpl
def exporter():
    return Provider(
        "onnxruntime-genai",
        "an ONNX model with what ONNX Runtime's generate() needs: in C++, C#, Java and Python, on phones, browsers and servers",
        "tunesmith_onnxruntime_genai.exporter:OnnxRuntimeGenAIExporter",
        settings=OnnxRuntimeGenAISettings,
        accepts=("model/hf",),
        produces=("model/onnxruntime-genai",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={
            "metrics": SIZES,
            "log_probs": "tunesmith_onnxruntime_genai.runtime:log_probs",
            "layouts": {"model/onnxruntime-genai": {"files": ["genai_config.json", "model.onnx"], "also": ["model.onnx.data"]}},
        },
        estimator="tunesmith_onnxruntime_genai.estimate:estimate",
    )
