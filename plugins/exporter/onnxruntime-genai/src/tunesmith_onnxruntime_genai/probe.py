"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import version


def probe() -> dict[str, str]:
    """Versions of what converts and runs.

    Raises:
        ImportError: when the builder or the runtime can't be imported.
    """
    import onnxruntime_genai
    from onnxruntime_genai.models import builder

    assert builder.create_model
    assert onnxruntime_genai.Generator
    return {name: version(name) for name in ("onnxruntime-genai", "onnxruntime", "onnx", "torch", "transformers")}
