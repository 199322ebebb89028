"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import version


def probe() -> dict[str, str]:
    """Versions of what converts and runs.

    Raises:
        ImportError: when the exporter's libraries or the runtime can't be imported.
    """
    import onnx_ir
    import onnxruntime
    import onnxscript

    assert onnx_ir.save
    assert onnxscript.opset18
    assert onnxruntime.InferenceSession
    return {name: version(name) for name in ("onnxruntime", "onnxscript", "onnx", "torch", "transformers")}
