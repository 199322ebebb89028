"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import version


def probe() -> dict[str, str]:
    """Versions of what converts and serves.

    Raises:
        ImportError: when one of them can't be imported.
        RuntimeError: when OpenVINO finds no processor that it can compute on.
    """
    import openvino
    import openvino_genai  # noqa: F401
    import optimum.exporters.openvino  # noqa: F401

    if "CPU" not in openvino.Core().available_devices:
        raise RuntimeError("OpenVINO finds no processor that it can compute on")
    return {name: version(name) for name in ("openvino", "openvino-genai", "optimum-intel", "nncf", "transformers")}
