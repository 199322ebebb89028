"""What this distribution brings."""

from __future__ import annotations

from tunesmith.contracts import Provider
from tunesmith.hookspecs import hookimpl
from tunesmith_models.model_directory import SIZES
from tunesmith_openvino.settings import OpenVinoExportSettings, OpenVinoSettings


@hookimpl
def inference_backend() -> Provider:
    return Provider(
        "openvino",
        "causal language models of transformers on processors, by OpenVINO: converted at the start, weights in 8 bits if wanted",
        "tunesmith_openvino.backend:OpenVinoBackend",
        settings=OpenVinoSettings,
        accepts=("model/hf", "model/openvino"),
        produces=("endpoint/openai",),
        capabilities={
            "api.chat": "full", "api.completions": "full", "api.stream": "full", "api.logprobs": "partial", "api.echo": "none",
            "batching.continuous": "full", "updatable": "none", "device.cpu": "full",
        },
        estimator="tunesmith_openvino.estimate:estimate",
        variants="tunesmith_openvino.estimate:variants",
    )  # fmt: skip


@hookimpl
def exporter() -> Provider:
    return Provider(
        "openvino",
        "a model as OpenVINO runs it on Intel's processors, graphics and NPUs",
        "tunesmith_openvino.exporter:OpenVinoExporter",
        settings=OpenVinoExportSettings,
        accepts=("model/hf",),
        produces=("model/openvino",),
        capabilities={"lossless": "partial", "device.cpu": "full"},
        facts={
            "metrics": SIZES,
            "log_probs": "tunesmith_openvino.log_probs:log_probs",
            "layouts": {
                "model/openvino": {
                    "files": ["openvino_model.xml", "openvino_model.bin"],
                    "also": ["openvino_tokenizer.*", "openvino_detokenizer.*"],
                }
            },
        },
        estimator="tunesmith_openvino.estimate:conversion",
    )
