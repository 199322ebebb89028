"""Settings of the exporter `onnx`."""

from dataclasses import dataclass

from tunesmith.contracts.settings import setting


@dataclass(frozen=True)
class OnnxSettings:
    opset: int = setting(
        18, "version of ONNX's operators: an older one is known to older runtimes", ge=18, le=23, aliases=("opset_version",)
    )
